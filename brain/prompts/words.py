"""Numbers, quantifiers, adjectives by what they speak of, and the words that only say how it is drawn."""

from __future__ import annotations

from functools import lru_cache

from loupe.brain.prompts.nouns import ABSTRACT, ED_NOUNS, ING_NOUNS, NOUNS, word_set
from loupe.brain.prompts.spec import AttributeKind

_ONES = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
"""
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety"
NUMBERS = {word: value for value, word in enumerate(_ONES.split(), 1)}
TENS = {word: 10 * value for value, word in enumerate(_TENS.split(), 2)}
#: quantifiers without a number: more than one, how many is not said
MANY = word_set(
    """
    several some many few numerous multiple various countless all other more assorted
    """
)
#: "a herd of": a number of things, how many is not said
GROUPS = word_set(
    """
    group bunch herd flock pile stack crowd row pack set collection variety number lot lots series cluster team
    swarm school line assortment array heap bouquet band class couples dozens hundreds thousands plenty handful gang
    army fleet gaggle colony litter range mix mixture bundle batch circle
    """
)
#: "a trio of": a number of things, and how many
GROUP_NUMBERS = {"pair": 2, "pairs": 2, "trio": 3, "quartet": 4}
#: "a slice of pizza" is the thing's own name
MEASURES = word_set(
    """
    slice piece loaf bar sheet roll stick block ball strip chunk cube slab wedge
    """
)
#: what "a bowl of apples" puts the apples into, or onto
_INTO = """
cup glass bowl basket box bag bottle jar mug pot vase bucket crate can carton tin jug pitcher barrel sack bathtub
container
"""
CONTAINERS = {**dict.fromkeys(_INTO.split(), "in"), "plate": "on", "tray": "on", "platter": "on"}
#: "a photo of": how it is to be drawn, not what is to be seen
MEDIA = word_set(
    """
    photo photos photograph photography picture image images painting drawing sketch illustration render rendering
    portrait shot view close-up closeup watercolor watercolour cartoon artwork art depiction snapshot selfie scene
    sculpture engraving woodcut etching collage mosaic graphic footage still film panorama linocut lithograph
    visualization composition tapestry poster comic print wallpaper animation emoji icon clipart
    """
)
#: what may stand before such a word
MEDIA_MODIFIERS = word_set(
    """
    oil digital pencil black white and ink vector pixel concept professional realistic photorealistic hyperrealistic
    stock studio vintage high low quality detailed highly beautiful stunning aerial wide angle wide-angle macro 3d
    2d cross-section side top front back overhead fisheye lens black-and-white monochrome grayscale sepia color
    colour simple minimalist abstract surreal cubist impressionist medieval renaissance children's child's crayon
    charcoal acrylic pastel flat isometric cinematic dramatic candid old cute anime manga watercolor watercolour
    sharp clear dslr polaroid 35mm hd 4k 8k blurry close up close-up closeup full full-body body head fantasy line
    low-poly cgi product night daytime satellite bird's-eye bird's eye rough hand-drawn amateur raw award-winning
    photo cell phone funny colorful colourful cropped single single-line chinese japanese baroque modern
    contemporary real-life real-world action thermal x-ray security camera photographic film color-pencil colored
    cartoon comic book stylized
    """
)
#: tags that ask for no thing
QUALITY = word_set(
    """
    masterpiece best quality high low 8k 4k 16k uhd hd hdr hyperdetailed detailed ultra ultra-detailed highly
    ultra-realistic realistic photorealistic hyperrealistic photorealism realism sharp focus trending artstation
    award winning award-winning absurdres highres high-res resolution cinematic lighting dramatic volumetric studio
    soft natural unreal engine octane render rendered rendering digital art artwork illustration concept painting
    photo photograph photography intricate details detail professional raw dslr 35mm 50mm 85mm f1.8 bokeh depth of
    field style oil canvas watercolor watercolour anime manga cartoon vector pixel minimalist 3d cgi isometric vivid
    vibrant colors colours contrast texture textures hyper very extremely on in the a by with and lens wide angle
    wide-angle film grain deviantart pixiv cyberpunk steampunk vaporwave fantasy surreal score_9 newest amazing
    official wallpaper stunning beautiful aesthetic composition aspect ratio lowpoly
    """
)
#: one of them at least makes such a tag: "the a of" alone is none
QUALITY_ANCHORS = QUALITY - word_set(
    "very extremely on in the a by with and of low beautiful natural soft amazing stunning"
)
_COLORS = """
red orange yellow green blue purple pink brown black white gray grey gold golden silver beige turquoise teal cyan
magenta violet indigo maroon navy crimson scarlet tan cream ivory lavender lime olive peach coral bronze copper mint
burgundy amber khaki mauve azure aqua fuchsia charcoal multicolored multicoloured multi-colored multi-coloured rainbow
colorful colourful rainbow-colored blonde brunette reddish bluish greenish yellowish whitish
"""
_SHAPES = """
round circular oval rectangular square triangular cubic spherical cylindrical conical pyramidal pentagonal hexagonal
octagonal diamond teardrop crescent oblong elliptical cuboid curved cubical trapezoidal rhombic ring-shaped
"""
_MATERIALS = """
wooden wood metallic metal plastic rubber leather glass fabric stone brick concrete marble ceramic porcelain steel
iron aluminum aluminium cotton woolen woollen wool silk denim velvet paper cardboard clay straw bamboo wicker
stainless crystal brass linen lace felt foam wax ice granite tin suede satin stainless-steel plaid knitted
"""
_TEXTURES = """
fluffy smooth rough soft hard furry fuzzy bumpy shiny glossy matte striped spotted dotted checkered polka-dot
polka-dotted spiky prickly silky velvety plush grainy textured coarse sleek slippery sticky woolly wrinkled hairy
frosted transparent translucent plaid floral patterned feathery scaly crunchy creamy
"""
_LARGE = "big large huge giant enormous massive gigantic oversized colossal humongous"
_SMALL = "small tiny little miniature mini minuscule"
#: opposite sizes of two things in one prompt ask for which is the larger
LARGE, SMALL = word_set(_LARGE), word_set(_SMALL)
_SIZES = (
    f"{_LARGE} {_SMALL} tall short long wide narrow thin thick medium medium-sized full-size life-size slim slender"
)
_OTHER = """
old older elderly blond fake new young happy sad angry cute beautiful pretty ugly clean dirty empty full open closed
broken bright dark light pale deep vivid vibrant cold hot warm cool wet dry fresh ripe rotten sharp blunt dull heavy
sweet sour bitter salty spicy juicy crisp crispy delicious tangy fragrant quiet calm busy noisy loud cozy cosy elegant
graceful delicate ornate intricate simple plain fancy modern ancient antique vintage retro rustic traditional classic
medieval futuristic realistic abstract surreal magical mystical mysterious majestic noble fierce wild tame friendly
playful curious lazy sleepy tired strong weak fast slow rapid double twin single-story two-story electric electronic
digital analog toy stuffed steaming smiling gnarled worn torn rusty dusty muddy mossy snowy sunny cloudy foggy rainy
stormy windy icy grassy sandy rocky leafy lush dense bare flat steep hollow solid shallow high low upside-down
inflatable folding portable adult male female african asian american european chinese japanese indian french italian
english german mexican greek roman victorian egyptian persian siamese siberian labrador fat chubby skinny muscular
bald bearded barefoot naked lone lonely solitary single pristine perfect gorgeous handsome stunning luxurious
expensive cheap healthy fragile crowded tangled scattered tropical exotic glittering glowing luminous sparkling
shimmering gleaming crumbling cracked peeling vast deserted abandoned haunted spooky scary creepy evil holy sacred
royal regal proud brave famous typical normal ordinary usual unusual strange weird odd rare common special unique
identical different similar same various regular loose tight fine raw cooked baked fried grilled roasted frozen melted
burnt burning flaming sliced chopped peeled half whole ajar fluorescent neon nearby lit unlit flying running sleeping
sitting standing lovely nice good bad great awesome amazing silly funny serious gentle rosy sturdy plump robotic human
sleek-looking chic stylish trendy hip cubist gothic baroque art-deco cozy-looking crystal-clear bustling overgrown
serene tranquil peaceful polished rugged parallel shady distant remote-controlled lively cheerful joyful zingy tender
"""
_KINDS: dict[str, AttributeKind] = {}
for _kind, _text in (
    ("other", _OTHER),
    ("size", _SIZES),
    ("texture", _TEXTURES),
    ("material", _MATERIALS),
    ("shape", _SHAPES),
    ("color", _COLORS),
):
    _KINDS.update(dict.fromkeys(_text.split(), _kind))  # type: ignore[arg-type]
COLORS = word_set(_COLORS)
SHAPES = word_set(_SHAPES)
#: "light blue": shades that belong to the color after them
SHADES = word_set(
    """
    light dark bright deep pale pastel neon hot navy royal sky forest lime olive
    """
)
#: what a shape is called as a thing: "in the shape of a triangle"
SHAPE_NOUNS = word_set(
    """
    triangle square circle heart star cube sphere cone pyramid cylinder hexagon pentagon cross diamond oval
    """
)
_ADJECTIVE_ENDINGS = ("ful", "ous", "less", "ish", "able", "ible", "ive", "like", "most", "ical", "inous")


@lru_cache(8192)
def kind_of(word: str) -> AttributeKind | None:
    """Returns what an adjective speaks of, or None where the word is not known as one.

    >>> kind_of("wooden"), kind_of("heart-shaped"), kind_of("dog")
    ('material', 'shape', None)
    """
    if word in _KINDS:
        return _KINDS[word]
    if word in NOUNS or word in ABSTRACT:
        return None
    if "-" in word:
        last = word.rpartition("-")[2]
        if last == "shaped":
            return "shape"
        if last in ("colored", "coloured") or (last in COLORS and set(word.split("-")) <= COLORS | SHADES):
            return "color"
        if last == "sized":
            return "size"
        return "other" if last.endswith(("ed", "ing", "old", "free")) or last in _KINDS else None
    if word.endswith(_ADJECTIVE_ENDINGS) and len(word) > 5:
        return "other"
    if word.endswith("y") and len(word) > 4 and word[:-1] in NOUNS:
        return "other"
    return None


def is_participle(word: str) -> bool:
    """Returns whether a word looks like a form of a verb in -ing or -ed, and is no noun."""
    if len(word) < 5 or word in NOUNS:
        return False
    return (word.endswith("ing") and word not in ING_NOUNS) or (word.endswith("ed") and word not in ED_NOUNS)
