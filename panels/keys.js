/*
 * Keys for Loupe's panels. FiftyOne's Python panels get no key events, so a key presses the button on the page that
 * names it in its "aria-keyshortcuts", as a mouse would; a field of text that names it, or whose list of choices does,
 * gets the focus. Enter presses the button or link that has the focus, in Loupe's panels: the App takes that key of the
 * whole page for itself, and no button hears of it. Nothing else of the page is touched, and no other key.
 *
 * A plain script without a build step: FiftyOne loads it once a page, by "js_bundle" in fiftyone.yml.
 */
(function () {
  "use strict";
  if (window.__loupeKeys) return;
  window.__loupeKeys = true;

  const FIELDS = "input:not([type=checkbox]):not([type=radio]):not([type=range]):not([type=button]), textarea, select";
  // where these are open, keys are theirs: a sample's own window, a dialog, a list to choose from
  const OVER = '[data-cy="modal"], [role="dialog"], [role="listbox"], [role="menu"], [data-cy="operators-browser"]';

  // Loupe's panels by their names, see fiftyone.yml
  const PANELS = [
    "background_jobs", "comparison", "drift", "duplicates", "failures_by_scenario", "label_corrections",
    "model_metrics", "overview", "realism", "repairs", "review_failures", "thresholds", "worst_slices",
  ];
  const OURS = PANELS.map((name) => `[data-cy="panel-content-${name}"]`).join(", ");

  function visible(element) {
    return element.getClientRects().length > 0 && getComputedStyle(element).visibility !== "hidden";
  }

  function named(key) {
    return [...document.querySelectorAll("[aria-keyshortcuts]")].find(
      (element) =>
        element.getAttribute("aria-keyshortcuts").split(" ").includes(key) && !element.disabled && visible(element)
    );
  }

  function onKey(event) {
    const target = event.target;
    const typing = target && target.closest && (target.closest(FIELDS) || target.isContentEditable);
    if (typing) {
      // a list to choose from ends at Escape once its choices are closed; Enter is its own
      const list = target.getAttribute("role") === "combobox" && target.closest("[aria-keyshortcuts]");
      if (list && event.key === "Escape" && target.getAttribute("aria-expanded") !== "true") {
        event.preventDefault();
        event.stopPropagation();
        target.blur();
      }
      // a note is done: the keys press buttons again
      const ours = target.hasAttribute("aria-keyshortcuts");
      if (ours && (event.key === "Enter" || event.key === "Escape") && !event.isComposing) {
        event.preventDefault();
        event.stopPropagation();
        target.blur();
      }
      return;
    }
    // a button that has the focus: once, however long the key is held
    const focused = target && target.closest && target.closest("button, a[href]");
    const ours = focused && (focused.matches("button[aria-keyshortcuts]") || focused.closest(OURS));
    if (ours && event.key === "Enter" && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      event.stopPropagation();
      if (!event.repeat && !focused.disabled) focused.click();
      return;
    }
    if (event.defaultPrevented || event.repeat || event.isComposing) return;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ([...document.querySelectorAll(OVER)].some(visible)) return;
    const element = named(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    if (!element) return;
    event.preventDefault();
    event.stopPropagation();
    const field = element.matches(FIELDS) ? element : element.matches("button") ? null : element.querySelector(FIELDS);
    if (field) field.focus();
    else element.click();
  }

  // before the App's own: an arrow that turns a page of the grid is not for the grid while a picture is decided
  window.addEventListener("keydown", onKey, true);
})();
