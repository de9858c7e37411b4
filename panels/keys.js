/*
 * Keys for Loupe's panels. FiftyOne's Python panels get no key events, so a key presses the button on the page that
 * names it in its "aria-keyshortcuts", as a mouse would; a field of text that names it gets the focus. Nothing else of
 * the page is touched, and no other key.
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
    const focused = target && target.closest && target.closest("button[aria-keyshortcuts]");
    if (focused && event.key === "Enter") {
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
    if (element.matches(FIELDS)) element.focus();
    else element.click();
  }

  // before the App's own: an arrow that turns a page of the grid is not for the grid while a picture is decided
  window.addEventListener("keydown", onKey, true);
})();
