// Package wiretest plays, at real sockets, the ways in which a call to a partner can end.
//
// Each partner has a table of its own from what came back to what it means, and all of them
// meet the same wire. So the list of what can happen there stands here, once: [Silences] are
// the calls that bring no whole reply, [Statuses] the status lines that a table must have
// thought of. A partner's test goes through them and has one row for each; what is added
// here fails there until it has a row.
//
// [Table] reads the table that a partner's file promises in words, so that a test can hold
// the words against what happens.
package wiretest
