// Command stator serves Amazon DynamoDB's API from one machine.
//
//	stator [serve]       serve the API (the default subcommand)
//	stator healthcheck   ask a running server whether it is ready; for containers
//	stator version       print the version
//	stator verify        check every item and index entry of a data directory, or
//	                     that the replicas of a running cluster are alike
//	stator repair        rebuild index entries that disagree with their items
//	stator cluster       run a whole cluster on this machine
//	stator nodes         list the nodes of a cluster; stator shards its shards
//	stator drain         have a node lead nothing, before it is restarted
//	stator decommission  move everything off a node and remove it
//	stator move-shard    move a shard's replica from one node to another
//	stator bench         measure this or another DynamoDB server
//
// Every flag can also be given as an environment variable (--data-dir is
// STATOR_DATA_DIR) and as a key of the YAML file named by --config (data-dir).
// A flag wins over the environment, the environment over the file. Unknown keys
// in the file are errors.
//
// A command line in the style of DynamoDB Local (single-dash options, also behind
// JVM options and "-jar DynamoDBLocal.jar") is recognised by its first argument
// and served with DynamoDB Local's rules, banner and answers: see [localCommand].
//
// Connections are served by internal/front, which answers what SDKs send itself and
// leaves the rest to net/http.
//
// The package holds flags, configuration, wiring and exit codes. What DynamoDB
// does is the business of package server; there is one file for each subcommand
// with its test beside it.
//
// # Exit codes
//
//	0  done, or stopped by SIGTERM or SIGINT
//	1  the command failed; one line on stderr names the cause and the remedy
//	2  the command line, environment or configuration file is wrong
package main
