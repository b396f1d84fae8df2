/** How elements are made: attributes and children at once, never markup from text. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {Element} made
 * @param {Object<string, *>} attributes  "on..." takes a listener, false and null leave an attribute out
 * @param {(Node | string | null | undefined | false)[]} children
 */
function furnish(made, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on") && typeof value === "function") made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(name, String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/**
 * @param {string} tag
 * @param {Object<string, *>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {HTMLElement}
 */
export function html(tag, attributes = {}, ...children) {
  return /** @type {HTMLElement} */ (furnish(document.createElement(tag), attributes, children));
}

/**
 * @param {string} tag
 * @param {Object<string, *>} [attributes]
 * @param {...(Node | string | null | undefined | false)} children
 * @returns {SVGElement}
 */
export function svg(tag, attributes = {}, ...children) {
  return /** @type {SVGElement} */ (furnish(document.createElementNS(SVG, tag), attributes, children));
}

/** An attribute that is set or, with null or false, taken away. */
export function mark(/** @type {Element} */ one, /** @type {string} */ name, /** @type {*} */ value) {
  if (value === null || value === false || value === undefined) one.removeAttribute(name);
  else if (one.getAttribute(name) !== String(value)) one.setAttribute(name, value === true ? "" : String(value));
}
