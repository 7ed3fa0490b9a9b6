// Package workflows holds the decisions and the waiting of an activation: what happens, in
// which order, what is given back when it cannot go on, and how long one waits before
// asking a person. It acts only through package activities, and it reads no clock but the
// workflow's.
//
// Read mobile_activation.go for the story. Around it stand
//
//   - step.go: one step, tried for as long as it takes, with an operator asked when patience
//     ends;
//   - undo.go: giving back, newest first;
//   - intake.go: what the outside says while a run goes on;
//   - wait.go: waiting that cleans up after itself;
//   - details.go: what people see of a run in the Temporal UI;
//   - policies.go: every duration;
//   - client.go: ids and message names, and the client that the relay uses.
//
// Business ends are results. A run that fails in Temporal's sense is our bug.
//
// A change to this code must replay every history under testdata; see README.
package workflows
