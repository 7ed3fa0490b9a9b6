// Package activities holds the acts of an activation: one act each, safe to do twice, one
// struct per collaborator.
//
// An activity acts; it decides nothing that a workflow could decide, and it knows no rule
// that internal/mobile could hold. Three mechanisms stand around every one of them:
//
//   - ledger.do in effect.go is the only way to act outside: a row is committed before the
//     call and the verdict after it, so that no crash, zombie or repeat does it twice;
//   - the frontier in frontier.go turns errors into what Temporal understands: a named
//     refusal ends the act, everything else is tried again for as long as it takes;
//   - the diary in diary.go writes what each attempt came to into the record, so that people
//     see why something is slow.
package activities
