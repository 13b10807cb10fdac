/** How many tags a todo may have, and how long each may be. */
const TAGS_MAX = 10;
const TAG_MAX_LENGTH = 40;

/** The tags in a text where commas or spaces divide them: lower case, each once. */
export function tagsFrom(text: string): string[] {
  const words = text.toLowerCase().split(/[\s,]+/);
  return [...new Set(words.map((word) => word.replace(/^#/, '')).filter(Boolean))];
}

/** Why the backend would refuse these tags, or null. */
export function tagsProblem(tags: string[]): string | null {
  if (tags.length > TAGS_MAX) return `A todo has at most ${TAGS_MAX} tags.`;
  const long = tags.find((tag) => [...tag].length > TAG_MAX_LENGTH);
  return long ? `A tag has at most ${TAG_MAX_LENGTH} characters.` : null;
}
