// Package telemetry is how a process tells what it does: logs, metrics, and the admin
// listener with liveness and readiness.
package telemetry

import (
	"io"
	"log/slog"

	"github.com/dialtone/dialtone/internal/secret"
)

// Logger writes records of the level and above to out: as lines of text for format "text",
// else as JSON, which no logged value can break out of. What looks like a secret is hidden
// by secret.RedactAttr; that is a net, not a licence.
func Logger(out io.Writer, level slog.Leveler, format string) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: secret.RedactAttr}
	if format == "text" {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}
