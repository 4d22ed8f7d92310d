/** Made by web/make-types from the server's OpenAPI document. Do not edit. */

export interface Schemas {
    CreateTokenBody: {
        name: string;
    };
    CreateTokenReply: {
        name: string;
        secret: string;
    };
    ErrorReply: {
        error: Schemas["ErrorReplyFailure"];
    };
    ErrorReplyFailure: {
        code: string;
        message: string;
    };
    ListEventsItem: {
        at: string;
        entity: string;
        entityID: string;
        payload: unknown;
        project: string;
        sequence: number;
        what: string;
        who: string;
        why?: string;
    };
    ListEventsReply: {
        events: Schemas["ListEventsItem"][];
    };
    ListTokensItem: {
        createdAt: string;
        name: string;
    };
    ListTokensReply: {
        tokens: Schemas["ListTokensItem"][];
    };
}

export interface Operations {
    CreateToken: {
        path: undefined;
        body: Schemas["CreateTokenBody"];
        reply: Schemas["CreateTokenReply"];
    };
    ListEvents: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListEventsReply"];
    };
    ListTokens: {
        path: undefined;
        body: undefined;
        reply: Schemas["ListTokensReply"];
    };
    RevokeToken: {
        path: { name: string; };
        body: undefined;
        reply: unknown;
    };
}

export const routes = {
    CreateToken: { method: "post", path: "/api/v1/tokens" },
    ListEvents: { method: "get", path: "/api/v1/events" },
    ListTokens: { method: "get", path: "/api/v1/tokens" },
    RevokeToken: { method: "delete", path: "/api/v1/tokens/{name}" },
} as const;
