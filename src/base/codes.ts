/**
 * Every DW_* code there is, with what to do about it, for documentation and for tools. Codes are stable: one that was
 * published keeps its meaning. A message names the case at hand; this names the cure. A test holds the table complete.
 */
export const errorCodes = {
  // Workflow files
  DW_DEFINITION: 'Mend the workflow files: each problem has its place and its own code.',
  DW_YAML: 'Mend the YAML at the place that is named; a value that begins with a special character wants quotes.',
  DW_LIMIT: 'Make the workflow file smaller or flatter, or split it: the limit is in the message.',
  DW_EMPTY: 'Put something in: an empty file or list means nothing here.',
  DW_SCHEMA: 'Write a value of the kind that is expected at this place.',
  DW_UNKNOWN_KEY: 'Correct the name of the key, remove it, or begin it with "x-" if it is a note of your own.',
  DW_MISSING_KEY: 'Add the key that is missing.',
  DW_KEY_NOT_HERE: 'Move the key to a kind of task that takes it, or remove it.',
  DW_DURATION: 'Write a duration such as 250ms, 30s, 5m, 2h, 7d or PT1H30M, within the bounds that are named.',
  DW_TIME: 'Write a time as RFC 3339 has it, such as 2030-01-31T06:00:00Z.',
  DW_CRON:
    'Write a cron expression of five fields (minute, hour, day, month, weekday), or six that begin with seconds.',
  DW_TIMEZONE: 'Write the IANA name of a time zone, such as Europe/Paris.',
  DW_EXPRESSION: 'Mend the CEL expression at the place that the caret shows.',
  DW_UNKNOWN_ROOT: 'Begin the expression with one of the names that are at hand there; the message lists them.',
  DW_ROOT_NOT_HERE: 'Use a name that is at hand at this place; the message lists them.',
  DW_UNKNOWN_TASK: 'Correct the name, or add a task of that name.',
  DW_UNKNOWN_TASK_TYPE: 'Correct the type, or put a handler of that name into the handlers directory.',
  DW_UNKNOWN_VAR: 'Correct the name, or declare the variable under `vars`.',
  DW_UNKNOWN_FIELD: 'Use one of the fields that there are; the message lists them.',
  DW_DUPLICATE_TASK: 'Rename one of the two tasks: names are unique in a workflow.',
  DW_DUPLICATE_WORKFLOW: 'Rename one of the two workflows, or remove one of the files.',
  DW_DUPLICATE_START: 'Remove one of the two starts, or tell them apart by `when`.',
  DW_OUT_OF_SCOPE: 'Depend on a task of the same list only, or on the process that holds the other one.',
  DW_NEXT_NOT_DEPENDENT: 'Name the decision in `dependsOn` of the task that it is to choose.',
  DW_NOT_A_LEAF: 'Put one task there that has no tasks in it and decides nothing; give several a process of their own.',
  DW_NO_CORRELATION: 'Give the listener a `correlate` pair, which says whose record it is.',
  DW_CYCLE: 'Remove one of the dependencies of the circle that is named.',
  DW_UNREACHABLE: 'Give the task a dependency that can let it run, or remove it.',
  DW_INPUT_SCHEMA: 'Mend the JSON Schema under `input`.',
  DW_HANDLER_INPUT: 'Give the handler what its `input` schema asks for, or mend the schema that it exports.',
  DW_CHILD_INPUT: 'Give the child what the `input` of its workflow asks for, or mend that schema.',
  DW_UNKNOWN_WORKFLOW: 'Correct the name, or see to it that another source publishes a workflow of that name.',
  DW_TOPIC_FROM: 'Write the same `from` wherever the topic is read: it is read from one place for all.',
  DW_TOPIC_FORMAT: 'Give what the format of the topic holds, or correct its format under `topics`.',
  DW_UNKNOWN_TOPIC: 'Correct the name of the topic under `topics`, or remove it.',
  DW_WORKFLOWS_NOT_FOUND: 'Correct the path after --workflows, or make the directory readable.',
  DW_WORKFLOW_UNREADABLE: 'Make the workflow file readable for the user that the worker runs as.',
  DW_REVISION:
    'Nothing to do while a newer worker is rolled out. To go back on purpose, start with a higher --revision.',

  // Handlers
  DW_HANDLER_DIRECTORY: 'Correct the path after --handlers, or make the directory readable.',
  DW_HANDLER_OUTSIDE: 'Put the file itself into the handlers directory: links that lead out of it are not followed.',
  DW_HANDLER_DUPLICATE: 'Remove or rename one of the two files: they make handlers of the same name.',
  DW_HANDLER_IMPORT: 'Mend the module so that it loads; the reason is in the message.',
  DW_HANDLER_EXPORT: 'Export what a handler exports: a function by default, and the options in their types.',
  DW_HANDLER_LIMIT: 'Have fewer files in the handlers directory, or point --handlers at the right one.',

  // Configuration and surroundings
  DW_CONFIG: 'Correct the setting that is named, in the file, the environment or the flags.',
  DW_CONFIG_FILE: 'Correct the path after --config, or the YAML or JSON in the file.',
  DW_CONFIG_UNKNOWN: 'Correct the name of the setting, or remove it.',
  DW_CONFIG_DIRECTORY: 'Name a directory that exists, or make it.',
  DW_GUARANTEE: 'Take a client that may claim the guarantee, or ask for less: the message names both.',
  DW_KAFKA_VERSION: 'Name brokers of a Kafka that the client speaks with: the message says which.',
  DW_KAFKA_TLS: 'Correct the kafkaTls settings: the message says what the broker, or a file, does not agree with.',
  DW_KAFKA_SASL: 'Correct the kafkaSasl settings, or what the brokers know of this user; the message has their words.',
  DW_HTTP_HOST:
    'Set tokensFile or tlsClientCaFile, or leave the host at 127.0.0.1: another address needs to know who asks.',
  DW_HTTP_ADDRESS: 'Name an address of this machine as host, or 0.0.0.0 for all of them.',
  DW_HTTP_TLS:
    'Correct the files of tlsCertFile and tlsKeyFile: PEM, a key that belongs to its certificate, its passphrase.',
  DW_TOKENS_FILE: 'Mend the line of the tokens file: a name, a role, and what dagger-worker token create prints.',
  DW_PORT_IN_USE: 'Choose another port with --port N, or let one be picked with --port 0.',
  DW_PORT_DENIED: 'Choose a port above 1023, or let this user open lower ones.',
  DW_TOPIC: 'Name the topic and count its partitions as Kafka allows.',

  // Data
  DW_DATA_IN_USE: 'Stop the other worker, or give this one a directory of its own with --data.',
  DW_DATA_UNUSABLE: 'Look at the path after --data, its permissions and its disk.',
  DW_DATA_CORRUPTED: 'Keep a copy of the directory, restore it from a backup, or start with an empty one.',
  DW_DATA_NEWER: 'Use the release that wrote the data directory, or a newer one.',
  DW_DATA_OF_ANOTHER_APP:
    'Name the directory of this application after --data, or the application of this one after --app.',
  DW_STORE_OF_ANOTHER: 'Name a directory of this application and log after --data, or remove the store that is named.',
  DW_CHANGELOG_REPLACED: 'Keep the store, it may be the last copy; then bring the topic back, or remove the store.',
  DW_PARTITIONS_DIFFER: 'Start the worker with the number of partitions that the application was made with.',
} as const satisfies { readonly [code: `DW_${string}`]: string }
