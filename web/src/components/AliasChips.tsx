import { deleteAlias, setAlias } from "../api/mlflow";
import { toast } from "./Toast";

/** Each can be taken away, and be put back at once. */
export function AliasChips({ model, version, aliases, reload }: {
    model: string; version: string; aliases: string[]; reload: () => Promise<void>;
}) {
    const remove = async (alias: string) => {
        try {
            await deleteAlias(model, alias);
            toast(`Removed the alias ${alias}.`, () => void setAlias(model, alias, version).then(reload));
        } catch (error) {
            toast((error as Error).message);
        }
        await reload();
    };
    if (aliases.length === 0) return <span className="muted">–</span>;
    return (
        <div className="row">
            {aliases.map((alias) => (
                <span key={alias} className="chip">{alias}
                    <button type="button" aria-label={`Remove the alias ${alias}`} title={`Remove the alias ${alias}`} onClick={() => void remove(alias)}>×</button>
                </span>
            ))}
        </div>
    );
}
