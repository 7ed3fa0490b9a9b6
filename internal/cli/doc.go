// Package cli is the command line `dialtone`: for operators and for scripts, on the gRPC
// API and nothing else.
//
// What a command knows of the world (arguments, streams, settings, clock) comes in by Env,
// so that a test runs the very program. A command is built in the file of its group, asks
// the server through one connection (connect.go) and answers on stdout: in words
// (page.go and the files *_text.go) or as JSON (json.go). Everything else that it has to
// say goes to stderr. How it ended is its exit code (exit.go), and an error tells what to
// do next (errors.go).
//
// Three rules hold everywhere:
//
//   - Text from the server is stripped of control and escape characters before anything
//     prints it (clean.go): a donor's words must not drive an operator's terminal.
//   - Nothing asks a question, so nothing hangs in a script. The one exception is port submit,
//     and that only on a terminal (port_ask.go): account numbers and PINs are never flags.
//   - Every call that changes something has a request id that is shown before the call, so
//     that it can be repeated whatever happens to the answer.
package cli
