package cli

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Where nobody answers, the error says what is wrong with the way there. The messages are
// gRPC's own.
func TestReport_Silence(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		code    codes.Code
		message string
		sandbox string
		want    string
	}{
		"nobody there": {
			code:    codes.Unavailable,
			message: `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`,
			want: `error: cannot reach Dialtone at d.example.com:7400: dial tcp 127.0.0.1:1: connect: connection refused
next: set DIALTONE_ADDRESS (or --address) to the server's host:port, or start a sandbox: go run ./cmd/sandbox
`,
		},
		"a sandbox that stopped": {
			code:    codes.Unavailable,
			message: `connection error: desc = "transport: Error while dialing: dial tcp 127.0.0.1:1: connect: connection refused"`,
			sandbox: "/x/.local/sandbox.json",
			want: `error: cannot reach Dialtone at d.example.com:7400: dial tcp 127.0.0.1:1: connect: connection refused
next: the sandbox of /x/.local/sandbox.json is not running: go run ./cmd/sandbox
`,
		},
		"no TLS": {
			code:    codes.Unavailable,
			message: `connection error: desc = "transport: authentication handshake failed: tls: first record does not look like a TLS handshake"`,
			want: `error: cannot reach Dialtone at d.example.com:7400: tls: first record does not look like a TLS handshake
next: that address does not speak TLS: check it; --insecure would send the token in clear text
`,
		},
		"an unknown authority": {
			code:    codes.Unavailable,
			message: `connection error: desc = "transport: authentication handshake failed: tls: failed to verify certificate: x509: certificate signed by \"me\""`,
			want: `error: cannot reach Dialtone at d.example.com:7400: tls: failed to verify certificate: x509: certificate signed by "me"
next: if an authority of your own has signed the server's certificate, name its file in SSL_CERT_FILE
`,
		},
		"another server": {
			code:    codes.Unavailable,
			message: `connection error: desc = "error reading server preface: http2: frame too large"`,
			want: `error: cannot reach Dialtone at d.example.com:7400: error reading server preface: http2: frame too large
next: something else answers there: check host and port (localhost is called in clear text, all else by TLS)
`,
		},
		"no answer": {
			code: codes.DeadlineExceeded,
			want: `error: no answer from d.example.com:7400 in time
next: give it longer with --timeout, or look whether the server is well
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			a := &app{env: Env{Err: &out}.whole(), server: server{address: "d.example.com:7400"}}
			if test.sandbox != "" {
				a.server.sandbox = &sandbox{path: test.sandbox}
			}

			a.report(status.Error(test.code, test.message))

			if diff := cmp.Diff(test.want, out.String()); diff != "" {
				t.Error(diff)
			}
		})
	}
}
