import { useState } from "react";
import { artifactAddress, listArtifacts, type FileInfo } from "../../api/mlflow";
import { Empty, ErrorBox, Loaded, Skeleton } from "../../components/State";
import { bytes } from "../../core/format";
import { useQuery } from "../../core/query";
import { useSearchParam } from "../../core/router";
import { Preview } from "./Preview";

/** The files of a run: a tree that loads folder by folder, and the chosen file beside it. */
export function Artifacts({ runID }: { runID: string }) {
    const [chosen, choose] = useSearchParam("file");
    const root = useQuery(`artifacts/${runID}/`, () => listArtifacts(runID, ""), { invalidateOn: ["run"], runs: [runID], throttle: 3000 });
    if (root.data?.length === 0) {
        return <div className="card"><Empty title="No artifacts">Files logged with <code>mlflow.log_artifact</code> appear here.</Empty></div>;
    }
    return (
        <div className="card artifacts">
            <nav className="artifact-tree" aria-label="Artifacts">
                <Loaded query={root}>{(files) => <Folder runID={runID} files={files} chosen={chosen} choose={choose} />}</Loaded>
            </nav>
            <div className="preview">
                {chosen === ""
                    ? <Empty title="Choose a file to see it" />
                    : <Preview key={chosen} runID={runID} path={chosen} address={artifactAddress(runID, chosen)} />}
            </div>
        </div>
    );
}

interface FolderProps {
    runID: string;
    files: FileInfo[];
    chosen: string;
    choose: (path: string) => void;
}

function Folder({ runID, files, chosen, choose }: FolderProps) {
    const sorted = [...files].sort((a, b) => Number(b.is_dir) - Number(a.is_dir) || a.path.localeCompare(b.path));
    return (
        <ul>
            {sorted.map((file) => (
                <li key={file.path}>
                    {file.is_dir
                        ? <Subfolder runID={runID} path={file.path} chosen={chosen} choose={choose} />
                        : (
                            <button type="button" aria-current={file.path === chosen} onClick={() => choose(file.path)} title={lastPart(file.path)}>
                                <span className="cut"><bdi>{lastPart(file.path)}</bdi></span>
                                <span className="size numbers">{bytes(file.file_size)}</span>
                            </button>
                        )}
                </li>
            ))}
        </ul>
    );
}

function Subfolder({ runID, path, chosen, choose }: Omit<FolderProps, "files"> & { path: string }) {
    const [open, setOpen] = useState(chosen.startsWith(`${path}/`));
    const query = useQuery(open ? `artifacts/${runID}/${path}` : null, () => listArtifacts(runID, path), { invalidateOn: ["run"], runs: [runID], throttle: 3000 });
    return (
        <>
            <button type="button" aria-expanded={open} onClick={() => setOpen(!open)}>
                <span aria-hidden="true" className="muted">{open ? "▾" : "▸"}</span>
                <span className="cut"><bdi>{lastPart(path)}</bdi></span>
            </button>
            {open && query.error !== null && <ErrorBox error={query.error} />}
            {open && query.data === undefined && query.error === null && <Skeleton lines={2} />}
            {open && query.data !== undefined && <Folder runID={runID} files={query.data} chosen={chosen} choose={choose} />}
        </>
    );
}

function lastPart(path: string): string {
    return path.slice(path.lastIndexOf("/") + 1);
}
