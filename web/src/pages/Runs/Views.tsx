import { useState } from "react";
import { deleteExperimentTag, setExperimentTag, type Experiment } from "../../api/mlflow";
import { Menu } from "../../components/Menu";
import { ConfirmDialog, Field } from "../../components/Form";
import { toast } from "../../components/Toast";
import { navigate, path, useLocation } from "../../core/router";

/** Views are tags of the experiment, so that everyone who opens it has them. */
const PREFIX = "aloft.view.";
/** What a view keeps; pins and the open page stay the reader's own. */
const KEPT = ["filter", "order", "columns", "group"];

interface View {
    name: string;
    query: string;
}

function viewsOf(experiment: Experiment | undefined): View[] {
    return (experiment?.tags ?? []).filter(({ key }) => key.startsWith(PREFIX))
        .map(({ key, value }) => ({ name: key.slice(PREFIX.length), query: value }))
        .sort((a, b) => a.name.localeCompare(b.name));
}

/** Filter, order, columns and group under a name. */
export function ViewsMenu({ experiment, reload }: { experiment: Experiment | undefined; reload: () => Promise<void> }) {
    const { query } = useLocation();
    const [saving, setSaving] = useState(false);
    const [name, setName] = useState("");
    const views = viewsOf(experiment);
    const now = kept(query);
    const current = views.find((view) => kept(new URLSearchParams(view.query)) === now);
    const id = experiment?.experiment_id ?? "";
    const base = path("experiments", id);

    const save = async () => {
        await setExperimentTag(id, PREFIX + name, now);
        await reload();
        toast(`Saved the view ${name}.`);
    };
    const remove = async (view: View) => {
        await deleteExperimentTag(id, PREFIX + view.name);
        await reload();
        toast(`Removed the view ${view.name}.`, () => void setExperimentTag(id, PREFIX + view.name, view.query).then(reload));
    };
    return (
        <>
            <Menu label={current === undefined ? "Views" : <span className="cut" style={{ maxWidth: 140 }}>{current.name}</span>}>
                {(close) => <>
                {views.length === 0 && <p className="muted small" style={{ padding: "6px" }}>Keep this filter, order, columns and group under a name that everyone sees.</p>}
                <ul>
                    {views.map((view) => (
                        <li key={view.name} className="row between view-item">
                            <button type="button" className="button quiet small cut" aria-current={view === current ? "true" : undefined}
                                onClick={() => { close(); navigate(view.query === "" ? base : `${base}?${view.query}`); }}>
                                <bdi className="cut">{view.name.slice(0, 60)}</bdi>
                            </button>
                            <button type="button" className="button quiet small" aria-label={`Remove the view ${view.name.slice(0, 60)}`} onClick={() => void remove(view)}>×</button>
                        </li>
                    ))}
                </ul>
                <div className="row" style={{ paddingTop: 6 }}>
                    <button type="button" className="button small" onClick={() => { close(); setName(current?.name ?? ""); setSaving(true); }}>Save this view</button>
                    <button type="button" className="button quiet small" onClick={() => { close(); navigate(base); }}>Usual view</button>
                </div>
                </>}
            </Menu>
            {saving && (
                <ConfirmDialog title="Save this view" confirm="Save" onConfirm={save} onClose={() => setSaving(false)}>
                    <Field label="Name of the view" hint={views.some((view) => view.name === name) ? "Replaces the view of this name" : "Letters, digits, spaces and . : - _; everyone who opens the experiment sees it"}>
                        {(field) => <input id={field} className="input" required maxLength={80} pattern="[\w .:\-]+" value={name} onChange={(event) => setName(event.target.value)} />}
                    </Field>
                </ConfirmDialog>
            )}
        </>
    );
}

function kept(query: URLSearchParams): string {
    const all = new URLSearchParams();
    for (const name of KEPT) {
        const value = query.get(name);
        if (value !== null && value !== "") all.set(name, value);
    }
    return all.toString();
}
