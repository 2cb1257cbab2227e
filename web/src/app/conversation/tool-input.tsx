// What a tool was asked: edits as a difference, anything else as it is.
interface Edit {
  old_string?: unknown;
  new_string?: unknown;
}

export function ToolInput({ call }: { call: { name: string; input: string } }) {
  const given = parsed(call.input);
  if (!given) return <pre tabIndex={0}>{call.input}</pre>;
  const edits = editsOf(given);
  if (edits.length > 0)
    return (
      <>
        {typeof given["file_path"] === "string" && <code>{given["file_path"]}</code>}
        {edits.map((edit, place) => (
          <pre key={place} tabIndex={0} className="difference">
            {edit.old_string ? <del>{String(edit.old_string)}</del> : null}
            <ins>{String(edit.new_string ?? "")}</ins>
          </pre>
        ))}
      </>
    );
  if (typeof given["command"] === "string") return <pre tabIndex={0}>{given["command"]}</pre>;
  return <pre tabIndex={0}>{JSON.stringify(given, null, 2)}</pre>;
}

function parsed(input: string): Record<string, unknown> | null {
  try {
    const given: unknown = JSON.parse(input);
    return given && typeof given === "object" ? (given as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function editsOf(given: Record<string, unknown>): Edit[] {
  if (Array.isArray(given["edits"])) return given["edits"] as Edit[];
  if ("new_string" in given) return [given];
  if ("content" in given && "file_path" in given) return [{ new_string: given["content"] }];
  return [];
}
