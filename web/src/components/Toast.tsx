import { useEffect, useState } from "react";

interface Message {
    id: number;
    text: string;
    undo?: (() => void) | undefined;
}

let nextID = 1;
let show: (message: Message) => void = () => undefined;

/** Says in a corner what happened, with a way back where there is one. */
export function toast(text: string, undo?: () => void): void {
    show({ id: nextID++, text, undo });
}

export function Toasts() {
    const [messages, setMessages] = useState<Message[]>([]);
    useEffect(() => {
        show = (message) => {
            setMessages((all) => [...all.slice(-2), message]);
            window.setTimeout(
                () => setMessages((all) => all.filter(({ id }) => id !== message.id)), 7000);
        };
    }, []);
    return (
        <div className="toasts" role="status" aria-live="polite">
            {messages.map((message) => (
                <div key={message.id} className="toast">
                    <span>{message.text}</span>
                    {message.undo && (
                        <button type="button" onClick={() => {
                            message.undo?.();
                            setMessages((all) => all.filter(({ id }) => id !== message.id));
                        }}>Undo</button>
                    )}
                </div>
            ))}
        </div>
    );
}
