package secret_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dialtone/dialtone/internal/secret"
)

// logged returns the attributes of one record as a JSON log shows them.
func logged(t *testing.T, message string, attrs ...any) map[string]any {
	t.Helper()
	var out bytes.Buffer
	handler := slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: secret.RedactAttr})
	slog.New(handler).Info(message, attrs...)
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	delete(got, "time")
	delete(got, "level")
	return got
}

func TestRedactAttr_ByKey(t *testing.T) {
	t.Parallel()
	got := logged(t, "done",
		"pin", 1234, "transferPin", "1234", "Account-Number", "99881", "portal_token", "abc",
		"name", "Ada", "customer_name", "Ada", "email", "ada", "authorization", "x",
		"step_name", "reserve_esim", "pin_make_date", "2026-01-02", "tokens", 3, "spin", "up",
		"iccid", "8901234567890123456", "port_phone_number", "2125550123", "mdn", "123",
		slog.Group("credentials", "scheme", "basic"),
		slog.Group("request", "passcode", "1234", "method", "GET"),
	)

	want := map[string]any{
		"msg": "done",
		"pin": "***", "transferPin": "***", "Account-Number": "***", "portal_token": "***",
		"name": "***", "customer_name": "***", "email": "***", "authorization": "***",
		"step_name": "reserve_esim", "pin_make_date": "2026-01-02", "tokens": 3.0, "spin": "up",
		"iccid": "***3456", "port_phone_number": "***0123", "mdn": "***",
		"credentials": map[string]any{"scheme": "***"},
		"request":     map[string]any{"passcode": "***", "method": "GET"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestRedactAttr_ByValue(t *testing.T) {
	t.Parallel()
	got := logged(t, "calling +12125550123 back",
		"error", errors.New("donor says +12125550123 is not ada.l+x@example.co.uk's"),
		"many", []string{"+442071838750", "fine"},
		"code", "scan LPA:1$smdp.example.com$ABC-123 now",
		"header", "bearer abc.def-123",
		"address", "postgres://app:p%40ss@db:5432/x",
		"count", 7, "offset", "2026-01-02T03:04:05+02:00", "sum", "1+12345", "nothing", nil,
	)

	want := map[string]any{
		"msg":   "calling ***0123 back",
		"error": "donor says ***0123 is not ***'s",
		"many":  []any{"***8750", "fine"}, "code": "scan LPA:*** now",
		"header": "bearer ***", "address": "postgres://app:***@db:5432/x",
		"count": 7.0, "offset": "2026-01-02T03:04:05+02:00", "sum": "1+12345", "nothing": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
