package telemetry_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/dialtone/dialtone/internal/telemetry"
)

func TestLogger(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"json": `"level":"WARN","msg":"calling ***0123","pin":"***","step":"submit_port"}` + "\n",
		"text": `level=WARN msg="calling ***0123" pin=*** step=submit_port` + "\n",
	} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			logger := telemetry.Logger(&out, slog.LevelWarn, format)

			logger.Info("too quiet")
			logger.Warn("calling +12125550123", "pin", "1234", "step", "submit_port")

			if !strings.HasSuffix(out.String(), want) || strings.Count(out.String(), "\n") != 1 {
				t.Errorf("got %s, want it to end with %s", out.String(), want)
			}
		})
	}
}
