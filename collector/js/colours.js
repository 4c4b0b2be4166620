// The colours of a challenge: a page may choose its own, and what could not be read is refused (WCAG 2.2, 1.4.3).

const LEAST_CONTRAST = 4.5;
const DEFAULTS = {
  light: { background: "#ffffff", text: "#1b1b1f", button: "#1d4ed8", buttonText: "#ffffff" },
  dark: { background: "#1b1b1f", text: "#f4f4f5", button: "#93c5fd", buttonText: "#111114" },
};
const PAIRS = [["text", "background"], ["buttonText", "button"]];
const HEX = /^#(?:[\da-f]{3}|[\da-f]{6})$/i;

/** The colours for light and for dark; those that a page asked for where they can be read, and otherwise none of them. */
export function colours(config, onError) {
  const asked = {};
  for (const name of Object.keys(DEFAULTS.light)) {
    const colour = config?.colors?.[name];
    if (colour != null) asked[name] = colour;
  }
  const chosen = { light: { ...DEFAULTS.light, ...asked }, dark: { ...DEFAULTS.dark, ...asked } };
  const schemes = chosen[config?.scheme] ? [chosen[config.scheme]] : Object.values(chosen);
  const readable = Object.values(asked).every((colour) => typeof colour === "string" && HEX.test(colour))
    && schemes.every((scheme) => PAIRS.every(([one, other]) => contrast(scheme[one], scheme[other]) >= LEAST_CONTRAST));
  if (readable) return chosen;
  try {
    onError?.(new RangeError("octet: challengeConfig.colors must be #rrggbb with a contrast of 4.5:1; the usual ones are shown"));
  } catch (error) {
    console.error(error);
  }
  return DEFAULTS;
}

function contrast(one, other) {
  const [darker, lighter] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Relative luminance, as WCAG 2.2 defines it. */
function luminance(hex) {
  const digits = hex.length === 4 ? hex.replace(/[\da-f]/gi, "$&$&") : hex;
  const [red, green, blue] = [1, 3, 5].map((from) => {
    const share = parseInt(digits.slice(from, from + 2), 16) / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
