// Command temporal-server is a real Temporal server and the real Temporal UI in
// one process on one Postgres, for laptops and tests.
//
// It exists because the two things one would reach for instead are not here: the
// Temporal CLI is a binary to download, and its dev server keeps everything in
// SQLite, which production does not use and which answers four times slower.
// It is a Go module of its own so that the server's dependencies, which are many,
// never meet ours.
//
// It listens on loopback addresses only, because it asks nobody who they are. It is
// no way to run production: one process owns every shard and there is no second.
//
// It reads these variables, and tells every fault at once:
//
//	TEMPORAL_LISTEN                   the frontend (127.0.0.1:7233); port 0 picks a free one
//	TEMPORAL_UI_LISTEN                the UI (127.0.0.1:8233), likewise, or "off"
//	TEMPORAL_DATABASE_URL             postgres://…; the database must exist
//	TEMPORAL_VISIBILITY_DATABASE_URL  postgres://…; another one, must exist too
//	TEMPORAL_LOG_LEVEL                debug, info, warn (default) or error; to stderr
//	EXIT_WITH_PARENT                  1: end when standard input closes
//
// Once the frontend serves, it prints one line to stdout, with the real addresses:
//
//	ready frontend=127.0.0.1:7233 ui=127.0.0.1:8233
//
// It makes no namespace: whoever needs one makes it, and decides its retention.
package main
