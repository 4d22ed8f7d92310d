/// What an action is done to, as far as permission goes.
package enum Thing: Hashable, Sendable {
    /// What a job has to do with a thing.
    package enum Hold: String, CaseIterable, Sendable {
        /// Others made it.
        case none
        /// It is the job's own run, or the experiment of that.
        case assigned
        /// The job made it.
        case made
    }

    /// No thing of a project: the platform itself.
    case platform
    /// Nothing of that name: whoever may ask in principle is told so.
    case missing
    /// Something that is about to be made and takes nothing from anybody.
    case new
    /// A list that holds only what is the asking job's project.
    case ownProject
    /// An experiment, run, logged model, trace, version, job or file.
    case item(project: ProjectID, Hold)
    /// A registered model, or a name that is free.
    ///
    /// - `project`: `nil` where there is no model of this name.
    /// - `isNamed`: whether the job's `registers:` names it.
    case model(project: ProjectID?, Hold, isNamed: Bool)
    /// The servable form of a version, or the blob of one.
    ///
    /// - `isMine`: whether the asking job converts just this version.
    case servable(project: ProjectID, isMine: Bool)
}
