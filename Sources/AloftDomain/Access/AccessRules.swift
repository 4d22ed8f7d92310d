/// A caller, with what permission needs to know of it.
package enum Bearer: Hashable, Sendable {
    /// Somebody on this machine, the bearer of a person's token, or a controller.
    case person
    case job(JobID, project: ProjectID)
    case gateway(name: String)

    /// - Parameter project: that of the token.
    package init(_ principal: Principal, project: ProjectID) {
        switch principal {
        case .local, .user, .controller: self = .person
        case .job(let job): self = .job(job, project: project)
        case .gateway(let name): self = .gateway(name: name)
        }
    }
}

/// Who may do what to what: the one place that says so.
package enum AccessRules {
    /// - Throws: `AccessRefusal`.
    package static func check(
        _ bearer: Bearer, _ action: Action, _ thing: Thing
    ) throws(AccessRefusal) {
        let isAllowed =
            switch bearer {
            case .person: true
            case .job(_, let project): allows(jobOf: project, action, thing)
            case .gateway: allowsGateway(action, thing)
            }
        guard isAllowed else { throw AccessRefusal(bearer: bearer, action: action) }
    }

    private static func allows(jobOf project: ProjectID, _ action: Action, _ thing: Thing) -> Bool {
        switch action {
        case .greet: true
        case .manage, .clear, .follow: false
        case .read:
            switch thing {
            case .missing, .ownProject: true
            case .item(let other, let hold): other == project || hold != .none
            case .model(let other, _, let isNamed): other == nil || other == project || isNamed
            case .servable(let other, let isMine): other == project || isMine
            case .platform, .new: false
            }
        case .begin:
            switch thing {
            case .missing, .new: true
            case .item(let other, _): other == project
            case .platform, .ownProject, .model, .servable: false
            }
        case .record:
            switch thing {
            case .missing: true
            case .item(_, let hold): hold != .none
            case .platform, .new, .ownProject, .model, .servable: false
            }
        case .discard:
            switch thing {
            case .missing: true
            case .item(_, let hold), .model(.some, let hold, _): hold == .made
            case .model(nil, _, _): true
            case .platform, .new, .ownProject, .servable: false
            }
        case .register:
            switch thing {
            case .missing: true
            case .model(let other, _, let isNamed): other == nil || other == project || isNamed
            case .platform, .new, .ownProject, .item, .servable: false
            }
        case .steer:
            switch thing {
            case .missing: true
            case .item(_, let hold): hold == .made
            case .model(let other, let hold, let isNamed): other == nil || hold == .made || isNamed
            case .platform, .new, .ownProject, .servable: false
            }
        case .convert:
            switch thing {
            case .servable(_, let isMine): isMine
            case .platform, .missing, .new, .ownProject, .item, .model: false
            }
        case .fetch:
            switch thing {
            case .missing: true
            case .servable(let other, let isMine): other == project || isMine
            case .platform, .new, .ownProject, .item, .model: false
            }
        }
    }

    private static func allowsGateway(_ action: Action, _ thing: Thing) -> Bool {
        switch (action, thing) {
        case (.greet, _), (.follow, _): true
        case (.fetch, .servable), (.fetch, .missing): true
        case (.fetch, _): false
        case (.manage, _), (.read, _), (.begin, _), (.record, _), (.discard, _), (.register, _),
            (.steer, _), (.clear, _), (.convert, _):
            false
        }
    }
}

/// A token does not open this.
package struct AccessRefusal: Refusal, Equatable {
    package let bearer: Bearer
    package let action: Action

    package init(bearer: Bearer, action: Action) {
        self.bearer = bearer
        self.action = action
    }

    package var code: String { "token_not_allowed" }
    package var kind: RefusalKind { .forbidden }

    package var message: String {
        switch bearer {
        case .person: "this token may not \(action.phrase)"
        case .job(_, let project):
            "a job's token reads its project (\(project)), writes to its own run and to what the job "
                + "itself makes, and registers models of its project or that its `registers:` names; "
                + "it may not \(action.phrase)"
        case .gateway:
            "a gateway's token follows the desired state, fetches servable models, reports and sends "
                + "what was logged; it may not \(action.phrase)"
        }
    }
}

/// A request context that knows who asks. Routes of every protocol are generic over it.
package protocol PrincipalBearing {
    var principal: Principal { get }
    var bearer: Bearer { get }
}
