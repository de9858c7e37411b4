"""Which words of a prompt ask for what would be a failure of another picture. This table is the only home of that.

A line is ``failure modes | phrases | phrases in which the words mean something else``; one that begins with a space
goes on. Phrases stand between semicolons. ``a/b`` is either word, ``<name>`` a word of ``WORDS``, ``.`` a comma or an
end of the sentence. Words are whole words in lower case, those of "black-and-white" are three. A phrase of the third
column that lies over a hit takes it away.
"""

from __future__ import annotations

#: the words that phrases name by <name>
WORDS: dict[str, str] = {
    "picture": "photo photos photograph photographs photography picture pictures image images drawing drawings sketch "
    "sketches portrait portraits illustration illustrations film films movie print prints engraving woodcut etching "
    "shot headshot artwork art manga comic cartoon cinematography footage rendering palette aesthetic snapshot "
    "ink lithograph linocut line pencil street",
    "made": "is are be rendered drawn shot taken photographed captured presented depicted done filmed printed entirely "
    "all image photo photograph picture portrait drawing sketch illustration",
    "behind": "background backgrounds backdrop backdrops",
    "plain": "plain blank empty simple clean solid minimal minimalist minimalistic uniform featureless seamless stark "
    "monochromatic monochrome",
    "color": "white black gray grey blue red green pink yellow orange purple beige colored coloured color "
    "colour studio",
    "blurred": "blurred blurry blur unfocused defocused",
    "thing": "room alley alleys forest cave caves cellar basement dungeon tunnel hallway corridor street streets sky "
    "skies scene photo photograph image picture background backgrounds backdrop atmosphere lighting theater woods "
    "swamp void abyss ambiance ambience environment",
    "number": "two three four five six nine 2 3 4 6 9",
    "part": "panel panels frame frames photos pictures images part comic",
    "clothes": "dress dresses suit suits shirt shirts outfit outfits uniform uniforms clothes clothing attire robes "
    "stripes striped checkered fur cat cats dog dogs cow cows spots patches tiles tile tiled stripe pattern patterns "
    "feathers plumage markings",
}

TABLE = """
dark low_contrast low_information | night/nighttime/midnight; night time; nights; nocturnal; moonlit; moonlight;
 starry sky/skies/night; starlit; northern lights; milky way; outer space; deep space; black
 background/backgrounds/backdrop; pitch black/dark; darkness; dark <thing>; in the dark; darkened
 room/theater/stage/street; underexposed; unlit; blackout | night
 stand/stands/table/tables/gown/gowns/shirt/dress/cap/light/lights/owl/heron/shade; midnight blue/snack/black;
 friday/saturday/good/opening/wedding/game/poker/movie/date/prom/last/silent night; arabian nights; starry night by;
 outer space theme/themed
dark low_contrast | dim; dimly; low light; twilight; dusk; candlelit; candlelight; candle light/lit/lighting; by
 candle; lit by a/one single candle/lantern/lamp/torch/bulb; lit by a/one/single candle/lantern/lamp/torch; lit only
 by; low key; chiaroscuro; film noir; spotlit; torchlight; torchlit; firelight; lamplight; lamplit; moody lighting |
 dim sum; twilight sparkle; low key event
dark low_information grayscale | silhouette/silhouettes/silhouetted; backlit; backlighting; contre jour; solar/lunar
 eclipse; shadow puppet/puppets | slim/fitted/sleek/flattering/city silhouette
bright low_contrast | high key; overexposed; over exposed; overexposure; blown out; blinding light; whiteout; white
 out; snow; snowy; snowfall; snowstorm; snow covered; snowscape; blizzard; icy landscape; arctic; antarctica;
 antarctic; glacier | snow
 globe/globes/leopard/leopards/white/owl/owls/boots/cone/cones/peas/queen/shoes/shovel/mobile/fox/monkey; jon snow;
 snow capped/peaked/topped/dusted; snowy owl/owls/egret/peak/peaks/mountain/mountains; arctic fox
bright low_contrast low_information | white <behind>; off white <behind>; <plain> white <behind>; white studio
 <behind>; on/against white <behind>/surface/paper/.; on/against a/the white <behind>/surface; on/against
 pure/plain/solid white; on/against a/the pure/plain/solid/clean/stark white <behind>/surface; white void; white on
 white |
low_contrast blur low_information | fog; foggy; mist; misty; haze; hazy; smog; smoke/smoky filled; dust storm;
 sandstorm; murky; underwater | fog light/lights/lamp/lamps/horn; brain fog; misty eyed; mist of water; hazy focus
low_contrast | low contrast; washed out; faded colors/colours/photo/photograph; muted colors/colours/tones/palette;
 overcast; pastel colors/colours/tones/palette; flat lighting; tone on tone; diffused light/lighting; soft lighting |
low_information bright | minimalism; minimalist/minimalistic/minimal
 <picture>/design/poster/logo/icon/vector/composition/graphic/wallpaper/style; minimalist .; minimalistic .; negative
 space; line art; line drawing/drawings; lineart; stick figure/figures; clip art; clipart; flat design; vector
 logo/icon |
low_information | <plain> <behind>; <plain> <color> <behind>; blank page/canvas/sheet/paper/screen/wall; solid
 color/colour; gradient background; color field; nothing but | nothing but the
blur local_blur | bokeh; shallow depth; shallow focus; selective focus; depth of field; tilt shift; macro
 photo/photograph/photography/shot/lens/view; <blurred> <behind>/foreground; <blurred> in the
 background/distance/foreground; <behind>/foreground <blurred>; <behind>/foreground is/are <blurred>;
 <behind>/foreground softly/slightly/gently <blurred>; <behind>/foreground is softly/slightly/gently <blurred>;
 softly/slightly/gently <blurred>; out of focus; blurry; blurred; defocused; into a blur | deep depth of field; blurred
 line/lines/boundary/boundaries
blur local_blur low_contrast oversmooth_skin | soft focus; dreamy blur; gaussian blur; airbrushed; airbrush |
motion_blur blur local_blur | motion blur; motion blurred; blur of motion/movement; blurred motion/movement; blurred
 by/with/from/in speed/motion/movement; long exposure/exposures; panning shot; panning photo/photograph/photography;
 speed lines; light/star trails; slow shutter; zoom burst/blur; radial blur; intentional camera movement; camera shake;
 a blur; panning . |
grayscale | black and white <picture>; . black and white .; in black and white; <made> black and white; black and
 white only; b and w; bw photo/photograph/portrait; monochrome; monochromatic; grayscale; greyscale; gray/grey scale;
 sepia; daguerreotype; tintype; silver gelatin; film noir; charcoal/graphite drawing/sketch/portrait/illustration;
 pencil drawing/drawings/sketch/sketches; ink drawing/sketch/wash; woodcut; linocut; etching; lithograph; line art;
 line drawing/drawings; lineart; x ray/rays; ultrasound; shades of gray/grey; stippling; stipple | black and white
 <clothes>; colored/coloured/color/colour pencil drawing/drawings/sketch; in black and white <clothes>;
 dressed/wearing/clad in black and white; x ray vision/machine/glasses
bright low_contrast low_information | pencil sketch/sketches/drawing/drawings; charcoal sketch/drawing; line art; line
 drawing/drawings; lineart; ink drawing/sketch/wash; technical drawing; coloring/colouring page |
 colored/coloured/color/colour pencil drawing/drawings/sketch
aliasing tiling | pixel art; pixelart; pixelated; 8/16 bit; 8bit; minecraft; cross stitch; halftone; dithered; voxel;
 low res/resolution; mosaic | high bit
halo | halo; halos; glowing/luminous/radiant/golden/energy aura; aura of light; neon glow; neon outline/outlines; rim
 light/lit/lighting; hdr; glowing outline/outlines/edges |
color_bleeding | watercolor/watercolors/watercolour/watercolours; ink wash; wet on wet; tie dye/dyed; chromatic
 aberration; anaglyph; risograph; glitch; glitchy; vhs; neon glow; double exposure | watercolor brush/set/palette
tiling repeated_subject |
 repeating/geometric/seamless/tile/tiled/checkered/striped/floral/herringbone/grid/hexagonal/zigzag/chevron/wallpaper/symmetrical/geometrical/checkerboard/plaid
 pattern/patterns; seamless texture; patterned wallpaper/fabric/background; tiles/tiled; mosaic;
 tessellation/tessellated; checkerboard; checkered; chequered; chessboard; chess board; honeycomb; lattice; polka
 dot/dots/dotted; plaid; tartan; gingham; houndstooth; herringbone; kaleidoscope/kaleidoscopic; fractal/fractals;
 mandala; op art; rows of; brick wall/walls; striped; repeating | mosaic of colors/colours/light/cultures/flavors;
 striped bass
repeated_subject | twin/twins; triplets; clone/clones/cloned; identical; doppelganger; duplicates; copies of;
 mirrored; mirror image; mirror selfie; in a/the mirror; in front of a/the mirror; hall of mirrors;
 reflection/reflections; reflected/reflects/reflecting in; double exposure; multiple exposure; character/sprite sheet;
 turnaround; collage; diptych; triptych; contact sheet; symmetrical; symmetric; symmetry | twin
 bed/beds/engine/engines/city/cities/peaks/towers/sized/size; mirror lake; mirrored sunglasses; reflection on; on
 reflection
seam repeated_subject | collage; split screen/screens; splitscreen; <number> <part>; grid of; 2x/3x/4x 2/3/4 grid;
 diptych; triptych; comic/manga page/pages/strip/strips/panel/panels/layout; storyboard; contact sheet; photo strip;
 before and after; side by side comparison/images/photos/pictures; split/divided into/in two/half/three/four; split
 down the middle; half and half; photomontage; moodboard; mood board; panels | solar/wood/wooden/glass/door/control
 panels; <number> photos of; <number> images of
symmetric_face | symmetrical/symmetric/symmetry; mirrored; mirror image; kaleidoscope/kaleidoscopic | asymmetric
 symmetry
face_malformed | cubist; cubism; picasso; caricature; zombie/zombies; alien/aliens; monster/monsters; demon/demons;
 skull/skulls; skeleton/skeletons; werewolf; gargoyle; distorted face/faces; cyborg; orc; goblin; troll; ogre; cartoon;
 anime; manga; chibi; muppet; cyclops | alien landscape/planet/world; monster truck/trucks
wrong_proportions | caricature; chibi; bobblehead; big head; oversized head; funko; cartoon; exaggerated; cubist;
 cubism; picasso; fisheye; dwarf; foreshortening; stick figure/figures; anime; alien/aliens | dwarf planet; alien
 landscape/planet/world
oversmooth_skin | smooth/porcelain/flawless skin; porcelain doll; wax figure; doll; mannequin; anime; cartoon; manga;
 pixar; 3d render/rendering/animation; cgi; statue; claymation; figurine | statue of liberty; doll house
limb_malformed | amputee/amputees; one armed/legged; three/four/six armed; many arms; multiple arms; missing
 arm/leg/limb; prosthetic; prosthesis; tentacles; centaur; mermaid; contortionist; stick figure/figures; cubist; cubism;
 headless |
hand_malformed | six/four/three fingered; six/four/three/6/4/3 fingers; extra/sixth finger; extra fingers; missing
 finger/fingers; polydactyly; polydactyl; tentacles; prosthetic hand/hands; prosthesis; robotic/robot/cyborg
 hand/hands; skeleton hand/hands; skeletal hand/hands; cartoon/cartoons; cubist; cubism | four fingers up
odd_aspect | panorama; panoramic; ultrawide; ultra wide; filmstrip; film strip | panoramic view; panoramic
 window/windows
"""
