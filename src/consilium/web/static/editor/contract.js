/**
 * What the server and the editor say to each other (API version 1), as types. Nothing here runs.
 *
 * Coordinates are pixels of the original picture, x to the right and y down; (0, 0) is the middle of the first pixel.
 */

/** @typedef {[number, number]} Point */

/**
 * @typedef {object} Flag
 * @property {string} code
 * @property {string} reason  a sentence for people, in the language of the page
 */

/**
 * One chromosome of a cell.
 * @typedef {object} CellObject
 * @property {string} id
 * @property {string} label  "1".."22", "X", "Y", "unsure", "mar", or what ISCN calls a rearranged one: "der(9)"
 * @property {number} place  order among those beside the same class, derivatives too, from 0
 * @property {number} confidence  0..1
 * @property {Object<string, number>} probabilities  of the likeliest classes; none where its shape was changed by hand
 * @property {boolean} confirmed  a person has said so
 * @property {boolean} doubtful
 * @property {Flag[]} flags
 * @property {Point[][]} polygons
 * @property {[number, number, number, number]} box
 * @property {number} angle_deg
 * @property {boolean} straight
 * @property {boolean} upside_down
 * @property {boolean} mirrored
 * @property {string} [note]
 * @property {string} sprite
 * @property {number} sprite_width
 * @property {number} sprite_height
 * @property {number} centromere  row of the sprite
 */

/**
 * A cell as the server has it.
 * @typedef {object} Cell
 * @property {number} cell
 * @property {string} case
 * @property {string} image
 * @property {number} number
 * @property {number} width
 * @property {number} height
 * @property {boolean} inverted
 * @property {boolean} synthetic
 * @property {string} picture
 * @property {number} version
 * @property {boolean} can_undo
 * @property {boolean} can_redo
 * @property {number} count
 * @property {string} karyotype
 * @property {number} band_level
 * @property {number} interactions
 * @property {boolean} locked
 * @property {string[]} acts  that hold: counted, analysed, karyotyped
 * @property {{act: string, by: string, at: string}[]} [acts_by]
 * @property {CellObject[]} objects
 * @property {string[]} doubtful  ids in the order in which to look
 * @property {Flag[]} [flags]  what is doubtful about the cell
 * @property {string[]} [notes]
 * @property {string[]} [unfinished]  names that lack their breakpoints
 */

/**
 * @typedef {{kind: string} & Object<string, *>} Command
 */

/**
 * What the server answers when it has stored a command.
 * @typedef {object} Answer
 * @property {number} version
 * @property {CellObject[]} changed
 * @property {string[]} removed
 * @property {number} count
 * @property {string} karyotype
 * @property {boolean} can_undo
 * @property {boolean} can_redo
 * @property {number} interactions
 * @property {string[]} doubtful
 */

/**
 * @typedef {object} Refusal
 * @property {string} kind
 * @property {string} what
 * @property {string} [where]
 * @property {string} [way_out]
 */

/**
 * @typedef {object} Band
 * @property {string} name  "p11.2"
 * @property {number} start  ISCN units from pter
 * @property {number} stop
 * @property {string} stain  gneg, gpos, acen, gvar, stalk
 * @property {number} darkness  0..1
 */

export {};
