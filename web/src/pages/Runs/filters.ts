/** What a person types into the field for filters, as the server's grammar has it. */

/** What only a filter has: a comparison, a quoted key, or a key before a word of the grammar. */
const GRAMMAR = /[=<>`]|^\s*\S*\.\S+\s+(?:not\s+)?(?:i?like|rlike|in|is)\b/i;

/** Plain words find runs by their names: all of them, in any place and case. */
export function asFilter(text: string): string {
    const typed = text.trim();
    if (typed === "" || GRAMMAR.test(typed)) return text;
    return typed.split(/\s+/).map((word) => `attributes.run_name ILIKE ${quoted(word)}`).join(" AND ");
}

function quoted(word: string): string {
    return word.includes("'") ? `"%${word.replace(/"/g, "_")}%"` : `'%${word}%'`;
}
