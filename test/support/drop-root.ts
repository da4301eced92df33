// Permissions do not bind root: loaded into a daemon before its own code (`node --import`), this makes it nobody.
const nobody = 65_534

process.setgroups?.([])
process.setgid?.(nobody)
process.setuid?.(nobody)
