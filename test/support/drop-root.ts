// Permissions do not bind root: loaded into a daemon before its own code (`node --import`), this makes it nobody, or the
// user whose number DROP_ROOT_TO is.
const user = Number(process.env['DROP_ROOT_TO'] ?? 65_534)

process.setgroups?.([])
process.setgid?.(user)
process.setuid?.(user)
