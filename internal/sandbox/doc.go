// Package sandbox runs a whole Dialtone on one machine: the real binaries as processes, a
// real Postgres, a real Temporal server with its UI, and pretend partners at their real wires.
// cmd/sandbox is its door for people; end-to-end tests use it as a library.
//
// It builds what it runs, keeps everything in one directory (.local in the checkout) and
// leaves nothing running. A part that dies is started again after a wait that grows. Parts
// end when their standard input closes, which it does however the sandbox ends; a watchdog
// (a shell that waits for the end of a pipe) takes what is stopped, hangs or builds, and only
// when it is done may another sandbox begin in the same directory.
//
// What a second start needs (keys, tokens, ports) is in state.json; where everything is while
// it runs is in sandbox.json. Both are readable by their owner alone.
package sandbox
