// The collection profiles by name, each holding all of the one before.
export const PROFILES = ["essential", "standard", "full"];

/** The rank of a profile by its name, or `otherwise`: each holds all of the ones below. */
export function rankOf(name, otherwise) {
  const rank = PROFILES.indexOf(name);
  return rank < 0 ? otherwise : rank;
}
