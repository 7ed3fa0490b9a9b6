package mail

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/wire"
	"github.com/dialtone/dialtone/internal/wire/wiretest"
)

// silences has a row for each way in which no whole reply comes.
var silences = map[string]mobile.PartnerError{
	"ConnectionRefused":     {Verdict: mobile.VerdictNotNow, Code: "connection refused"},
	"HostUnknown":           {Verdict: mobile.VerdictNotNow, Code: "host not found"},
	"CertificateNotTrusted": {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"NoTLS":                 {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"ResetInTheHandshake":   {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"ClosedInTheHandshake":  {Verdict: mobile.VerdictNotNow, Code: "TLS failed"},
	"TimeoutInTheHandshake": {Verdict: mobile.VerdictNotNow, Code: "timeout"},
	"CalledOffBefore":       {Verdict: mobile.VerdictNotNow, Code: "cancelled"},

	"ResetAfterTheFirstByte":   {Verdict: mobile.VerdictUnknown, Code: "connection reset"},
	"ResetAfterTheRequest":     {Verdict: mobile.VerdictUnknown, Code: "connection reset"},
	"ClosedAfterTheRequest":    {Verdict: mobile.VerdictUnknown, Code: "connection closed"},
	"TimeoutAfterTheRequest":   {Verdict: mobile.VerdictUnknown, Code: "timeout"},
	"CalledOffAfterTheRequest": {Verdict: mobile.VerdictUnknown, Code: "cancelled"},
	"NotHTTP":                  {Verdict: mobile.VerdictUnknown, Code: "reply broken"},
	"ClosedInTheStatusLine":    {Verdict: mobile.VerdictUnknown, Code: "reply broken"},
	"ClosedInTheHeader":        {Verdict: mobile.VerdictUnknown, Code: "connection closed"},
	"HeaderTooLong":            {Verdict: mobile.VerdictUnknown, Code: "reply broken"},
	"ClosedAfterEarlyHints":    {Verdict: mobile.VerdictUnknown, Code: "connection closed"},

	"200CutShort":         {Verdict: mobile.VerdictUnknown, Code: "HTTP 200, connection closed"},
	"201CutShort":         {Verdict: mobile.VerdictUnknown, Code: "HTTP 201, connection closed"},
	"202CutShort":         {Verdict: mobile.VerdictUnknown, Code: "HTTP 202, connection closed"},
	"307CutShort":         {Verdict: mobile.VerdictUnknown, Code: "HTTP 307, connection closed"},
	"400CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 400, connection closed"},
	"401CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 401, connection closed"},
	"403CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 403, connection closed"},
	"404CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 404, connection closed"},
	"409CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 409, connection closed"},
	"413CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 413, connection closed"},
	"429CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 429, connection closed"},
	"500CutShort":         {Verdict: mobile.VerdictUnknown, Code: "HTTP 500, connection closed"},
	"503CutShort":         {Verdict: mobile.VerdictNotNow, Code: "HTTP 503, connection closed"},
	"200ResetInTheBody":   {Verdict: mobile.VerdictUnknown, Code: "HTTP 200, connection reset"},
	"200TimeoutInTheBody": {Verdict: mobile.VerdictUnknown, Code: "HTTP 200, timeout"},
	"200BadlyChunked":     {Verdict: mobile.VerdictUnknown, Code: "HTTP 200, reply broken"},
	"200TooLong":          {Verdict: mobile.VerdictUnknown, Code: "HTTP 200, reply too long"},
	"201TooLong":          {Verdict: mobile.VerdictUnknown, Code: "HTTP 201, reply too long"},
	"202TooLong":          {Verdict: mobile.VerdictUnknown, Code: "HTTP 202, reply too long"},
	"403TooLong":          {Verdict: mobile.VerdictNotNow, Code: "HTTP 403, reply too long"},
	"500TooLong":          {Verdict: mobile.VerdictUnknown, Code: "HTTP 500, reply too long"},
	"503TooLong":          {Verdict: mobile.VerdictNotNow, Code: "HTTP 503, reply too long"},
}

// TestSilences: what is known when no whole reply came. The message is as long as a real one,
// so that writing it can fail half-way.
func TestSilences(t *testing.T) {
	t.Parallel()
	all := wiretest.Silences()
	if len(all) != len(silences) {
		t.Errorf("%d ways and %d rows", len(all), len(silences))
	}
	for _, silence := range all {
		t.Run(silence.Name, func(t *testing.T) {
			t.Parallel()
			want, there := silences[silence.Name]
			if !there {
				t.Fatal("this way has no row")
			}
			ctx, url := silence.Play(t)

			_, err := newClient(t, Config{URL: url}).Send(ctx, bytes.Repeat([]byte("x"), 20000))

			mustFail(t, err, want)
		})
	}
}

// TestTimeoutOfTheConfig: a send ends by itself, long before it would by default.
func TestTimeoutOfTheConfig(t *testing.T) {
	t.Parallel()
	url := wiretest.Listen(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
	client := newClient(t, Config{URL: strings.Replace(url, "http:", "https:", 1), Timeout: time.Millisecond})
	began := time.Now()

	_, err := client.Send(t.Context(), []byte("{}"))

	mustFail(t, err, mobile.PartnerError{Verdict: mobile.VerdictNotNow, Code: "timeout"})
	if took := time.Since(began); took > wire.TimeoutDefault/2 {
		t.Errorf("the send took %s", took)
	}
}

// TestTheTableInWords: each line of the comment that is the table holds for an answer here,
// and each has one that it stands for.
func TestTheTableInWords(t *testing.T) {
	t.Parallel()
	verdicts := map[string]mobile.Verdict{
		"yes": mobile.VerdictYes, "refused": mobile.VerdictRefused, "not now": mobile.VerdictNotNow, "unknown": mobile.VerdictUnknown,
	}
	says := func(raw string) func(*testing.T) string {
		return func(t *testing.T) string {
			return wiretest.Listen(t, func(conn net.Conn) {
				if wiretest.ReadRequest(conn) {
					_, _ = io.WriteString(conn, "HTTP/1.1 "+raw)
				}
			})
		}
	}
	status := func(code int) func(*testing.T) string {
		return func(t *testing.T) string { return wiretest.Answer(t, code, "", "") }
	}
	examples := map[string]func(*testing.T) string{
		"no byte has left":                         func(*testing.T) string { return "http://127.0.0.1:1" }, // tcpmux
		"202, with an X-Message-Id":                says("202 Accepted\r\nX-Message-Id: a1\r\nContent-Length: 0\r\n\r\n"),
		"202, without one":                         status(http.StatusAccepted),
		"400 or 413, whole":                        status(http.StatusBadRequest),
		"401 or 403, whatever its body lacks":      says("403 Forbidden\r\nContent-Length: 9\r\n\r\n{"),
		"429 or 503, whatever its body lacks":      says("503 Service Unavailable\r\nContent-Length: 9\r\n\r\n{"),
		"any other 4xx, whatever its body lacks":   says("404 Not Found\r\nContent-Length: 9\r\n\r\n{"),
		"400 or 413, cut short":                    says("400 Bad Request\r\nContent-Length: 9\r\n\r\n{"),
		"any 1xx, 3xx, other 2xx or 5xx":           status(http.StatusBadGateway),
		"a byte has left, and no other reply came": says("202 Accepted\r\nContent-Length: 9\r\n\r\n{"),
	}
	rows := wiretest.Table(t, "verdict.go")
	if len(rows) != len(examples) {
		t.Errorf("%d lines and %d examples", len(rows), len(examples))
	}
	for _, row := range rows {
		t.Run(row.Situation, func(t *testing.T) {
			t.Parallel()
			example, there := examples[row.Situation]
			if !there {
				t.Fatal("this line has no example")
			}

			_, err := newClient(t, Config{URL: example(t)}).Send(t.Context(), []byte("{}"))

			if mobile.VerdictOf(err) != verdicts[row.Verdict] {
				t.Errorf("got %v, but the table says %s", err, row.Verdict)
			}
		})
	}
}
