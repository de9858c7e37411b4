"""Verbs: which only say where a thing is, which only that it is there, and the forms of the others."""

from __future__ import annotations

from loupe.brain.prompts.nouns import word_set

#: verbs that only say where a thing is: the relation after them is its own
POSTURES = word_set(
    """
    is are was were be being been sits sit sat sitting stands stand stood standing lies lie lay laid lying laying
    rests rest rested resting placed located positioned situated parked hung hangs hang hanging perched perches
    perching seated mounted set floats float floated floating hovering hovers hovered leaning leans leaned sleeping
    sleeps sleep slept sprawled stacked balanced balances balancing nestled nestles remains kept left stored
    arranged displayed suspended stationed put piled waiting grazing crouching crouched kneeling squatting lounging
    napping posed poised tucked sprawling reclining reclines found
    """
)
#: of those the ones that speak of the sentence's subject, not of the nearest noun
FINITE = word_set(
    """
    is are was were sits sat stands stood lies lay rests rested hangs hung floats floated leans leaned sleeps slept
    perches hovers hovered sit stand lie rest hang float lean sleep remains balances nestles reclines
    """
)
#: verbs that only say that something is there
PRESENCE = word_set(
    """
    with has have having contains contain containing includes include including featuring features shows show
    showing depicting depicts plus holds
    """
)
_VERBS = """
add admire answer appear argue arrive ask attach bake bark bask bathe beam bend bike bite blend blink bloom blow boil
bounce bow brew bring brush build burn burst buy call capture care carry carve cast catch celebrate chase chat check
cheer chew chirp chop circle clap clean climb cling close collect come complement compete connect conduct consist
contrast cook cover cradle crash crawl create creep cross cruise cry curl cut dance dart decorate deliver descend
develop devour dig dip disappear discuss dive drag drape draw drift drink drip drive drizzle drop dry eat echo embrace
emerge emit enclose encircle encounter engage enjoy enter erupt examine exchange explode explore extend face fall fan
feed feel fetch fidget fight fill fix flap flank flee flicker flip flow flutter fly fold follow form frame frolic
gallop gather gaze give glance gleam glide glimmer glisten glitter glow go grab graze greet grill grin grip groom grow
growl guard guide hand happen hatch hide hike hit hold hop howl hug hunt illuminate inspect invite jog join juggle
jump keep kick kiss knead knit laugh launch lead leap lend lick lift line linger listen look lounge make march massage
measure meditate meet melt merge mix moo move mow nest nibble nurse observe offer open orbit overlap overlook pack
paddle paint pass pat peek peel peer perform pet pick play pluck plunge point polish pop pose pour practice prance
pray prepare present press pretend provide prowl pull purr push put race raise reach read recite reflect relax release
repair resemble reveal ride ring rise roam roar roll row run rush sail savor say scare scatter scream scrub sculpt see
serve sew shake shape share shave shimmer shine shoot shop shout shred sing sip skate ski skip slide slither smell
smile smoke snarl sniff snore snort snow soar soothe spark sparkle speak spill spin splash spread sprint squeeze
squirt stare stretch stroll strum study surf surround sway sweep swim swing swirl take talk taste teach tear tell tend
test throw tie tilt tiptoe toast toss touch tow train trail trap travel trek trot try tug tumble turn twirl twist type
unlock use view visit wade wag walk wander wash watch water wave wear weave whisper win wink work wrap write yawn
amplify snap steal protect adorn enhance dominate blanket tower complete seem become rumble scurry splatter trickle
sputter buzz hum cluck croak tick attract unload scoop focus rely operate decide
"""
_DOUBLED = word_set(
    """
    chat chop clap cut dig dip drag drop fan flap flip grab grin grip hit hop hug hum jog knit let mop nap pat pet
    plan pop put rub run scrub shop sip sit skip slip snap spin stir stop strum swim tap tip trap trot tug wag win
    wrap
    """
)
_IRREGULAR_VERBS = word_set(
    """
    ate bit blew brought built bought came caught chose crept cut drew drank drove fell fed felt fought fled flew
    found gave went grew heard held hid kept knew led lit made met paid put ran rang rode rose said sang sank saw
    sent shone shook shot shut slid sold spoke spun spread swam swept swung taken threw told took tore wept woke won
    wore worn wound wrote written eaten driven ridden flown grown thrown drawn blown done gone seen given shown does
    did do doing will would can could should must may might wants want needs need looks look
    """
)


def _inflected(base: str) -> set[str]:
    if base.endswith("y") and base[-2] not in "aeiou":
        return {base, base[:-1] + "ies", base[:-1] + "ied", base + "ing"}
    stem = base[:-1] if base.endswith("e") and not base.endswith("ee") else base
    stem += base[-1] if base in _DOUBLED else ""
    plural = base + ("es" if base.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")
    return {base, plural, stem + "ed", stem + "ing"}


#: the forms that only go with a plural: "cats stand"
BASES = frozenset(_VERBS.split()) | word_set("sit stand lie rest hang float lean sleep perch")
#: every form of the verbs known here, apart from those above
VERBS = frozenset(form for base in _VERBS.split() for form in _inflected(base)) | _IRREGULAR_VERBS
