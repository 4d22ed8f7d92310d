/** Values of a list share a line up to this many characters. */
const LINE = 56;

/** JSON with its parts indented; numbers stay digit by digit as they were sent. `null` where it is no JSON. */
export function indented(text: string): string | null {
    try {
        JSON.parse(text);
    } catch {
        return null;
    }
    // Strings are kept whole; all else falls into single marks and runs of other characters.
    const tokens = text.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g) ?? [];
    let out = "";
    let depth = 0;
    const line = () => `\n${"  ".repeat(depth)}`;
    for (let at = 0; at < tokens.length; at += 1) {
        const token = tokens[at] ?? "";
        if (token === "{" || token === "[") {
            const flat = token === "[" || tokens[at + 1] === "}" ? flatList(tokens, at, depth) : null;
            if (flat !== null) {
                out += flat.text;
                at = flat.end;
                continue;
            }
            depth += 1;
            out += token + line();
        } else if (token === "}" || token === "]") {
            depth -= 1;
            out += line() + token;
        } else if (token === ",") out += token + line();
        else out += token === ":" ? ": " : token;
    }
    return out;
}

/** The list that begins at `start`, where it holds no lists or objects: as few lines as it needs. */
function flatList(tokens: string[], start: number, depth: number): { text: string; end: number } | null {
    const lines = [""];
    for (let at = start + 1; at < tokens.length; at += 1) {
        const token = tokens[at] ?? "";
        if (token === "[" || token === "{") return null;
        if (token === "]" || token === "}") {
            const inner = lines.length === 1 ? lines[0] : `\n${lines.map((line) => "  ".repeat(depth + 1) + line.trimEnd()).join("\n")}\n${"  ".repeat(depth)}`;
            return { text: (tokens[start] ?? "") + inner + token, end: at };
        }
        const last = lines[lines.length - 1] ?? "";
        if (token === ",") lines[lines.length - 1] = `${last}, `;
        else if (last === "" || last.length + token.length < LINE) lines[lines.length - 1] = last + token;
        else lines.push(token);
    }
    return null;
}

/** What a refusal says: `{"error": "…"}`, `{"error": {"code", "message"}}` or `{"error_code", "message"}`. */
export function refusal(text: string | undefined): { message: string; code?: string } | null {
    if (text === undefined) return null;
    let body: unknown;
    try {
        body = JSON.parse(text);
    } catch {
        return null;
    }
    if (typeof body !== "object" || body === null) return null;
    const whole = body as Record<string, unknown>;
    const inner = typeof whole["error"] === "object" && whole["error"] !== null ? whole["error"] as Record<string, unknown> : whole;
    const message = [inner["message"], whole["error"]].find((each) => typeof each === "string");
    const code = [inner["code"], inner["error_code"]].find((each) => typeof each === "string");
    if (typeof message !== "string") return null;
    return typeof code === "string" ? { message, code } : { message };
}
