package cli

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/protobuf/proto"
)

const (
	defaultPort    = "7400"
	defaultAddress = "localhost:" + defaultPort
	// callTimeout bounds a call unless --timeout bounds the command.
	callTimeout = 10 * time.Second
	// reconnectDelayMax keeps a watch from staying away long after the server is back.
	reconnectDelayMax = 2 * time.Second
	// silenceMax is how long a stream may be quiet before the connection is tried. Servers
	// end connections on which this is asked more often than every five minutes.
	silenceMax = 330 * time.Second
)

// callers is who may make a command's calls.
type callers struct {
	// names are the principals, for people.
	names string
	// token is that of the least of them in a sandbox.
	token func(*sandbox) string
	// principal is what token create calls them, where it is worth saying.
	principal string
}

// create is the command line that makes a token for them.
func (c callers) create() string {
	if c.principal == "" {
		return "dialtone token create"
	}
	return "dialtone token create --principal " + c.principal + " --tenant TENANT --name NAME"
}

var (
	billing = callers{names: "BILLING", token: func(s *sandbox) string { return s.Token }}
	staff   = callers{names: "BILLING or OPERATOR", token: billing.token}
	admin   = callers{names: "ADMIN", token: func(s *sandbox) string { return s.AdminToken }}
	// portal speaks for the customers of a tenant.
	portal = callers{
		names: "PORTAL_BACKEND", principal: "portal-backend",
		token: func(s *sandbox) string { return s.PortalBackendToken },
	}
)

// server is where calls go.
type server struct {
	address string
	token   string
	// sandbox is set when the address came from there.
	sandbox *sandbox
}

// findServer decides where calls go: what flags say goes before the environment, that
// before a sandbox. A sandbox's token is sent to that sandbox only.
func (a *app) findServer() (server, error) {
	found := server{
		address: cmp.Or(a.flags.address, a.env.Address),
		token:   cmp.Or(a.flags.token, a.env.Token),
	}
	if found.address == "" {
		near, err := findSandbox(a.env.Dir)
		if err != nil {
			return server{}, err
		}
		if near != nil {
			found.sandbox, found.address = near, near.GRPC
			found.token = cmp.Or(found.token, a.callers.token(near))
		}
	}
	found.address = cmp.Or(found.address, defaultAddress)
	if strings.Contains(found.address, "/") {
		return server{}, &usageError{text: fmt.Sprintf("the address %q is not of the form host:port", found.address), help: "dialtone help environment"}
	}
	if _, _, err := net.SplitHostPort(found.address); err != nil {
		found.address = net.JoinHostPort(strings.Trim(found.address, "[]"), defaultPort)
	}
	if found.token == "" {
		return server{}, a.noToken(found)
	}
	return found, nil
}

// noToken tells where to have one from.
func (a *app) noToken(found server) error {
	next := []string{"set DIALTONE_TOKEN to a token of " + a.callers.names + " (and DIALTONE_ADDRESS to the server's address)"}
	if a.callers.principal != "" {
		next = append(next, "an administrator makes one with: "+a.callers.create())
	}
	if found.sandbox == nil {
		next = append(next, "or start a sandbox in your checkout: go run ./cmd/sandbox")
	}
	return &exitError{code: exitDenied, text: "no token to call " + found.address + " with", next: next}
}

// connect prepares the connection; nothing is dialled before the first call.
func (a *app) connect() error {
	found, err := a.findServer()
	if err != nil {
		return err
	}
	a.server = found
	local := onThisMachine(found.address)
	transport := credentials.NewTLS(&tls.Config{MinVersion: tls.VersionTLS12})
	if local || a.flags.insecure {
		transport = insecure.NewCredentials()
	}
	if a.flags.insecure && !local {
		a.say("warning: the token goes to %s in clear text", found.address)
	}
	if a.flags.verbose {
		a.sayServer(transport.Info().SecurityProtocol)
	}
	delays := backoff.DefaultConfig
	delays.BaseDelay, delays.MaxDelay = reconnectDelayMax/10, reconnectDelayMax
	connection, err := grpc.NewClient("passthrough:///"+found.address,
		grpc.WithTransportCredentials(transport),
		grpc.WithPerRPCCredentials(bearer(found.token)),
		grpc.WithUserAgent("dialtone-cli"),
		grpc.WithUnaryInterceptor(a.interceptCall),
		grpc.WithStreamInterceptor(a.interceptStream),
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: delays, MinConnectTimeout: callTimeout}),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: silenceMax, Timeout: callTimeout}),
	)
	if err != nil {
		return fmt.Errorf("prepare the connection to %s: %w", found.address, err)
	}
	a.connection = connection
	return nil
}

func (a *app) sayServer(protocol string) {
	where, whose := "", "the given token"
	if a.server.sandbox != nil {
		where = " of the sandbox in " + a.server.sandbox.path
		if a.flags.token == "" && a.env.Token == "" {
			whose = "the sandbox's token for " + a.callers.names
		}
	}
	way := "in clear text"
	if protocol == "tls" {
		way = "by TLS"
	}
	a.say("calling %s%s, %s, with %s", a.server.address, where, way, whose)
}

// onThisMachine says that an address never leaves it.
func onThisMachine(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = strings.Trim(address, "[]")
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// bearer is the token, as gRPC sends it.
type bearer string

// GetRequestMetadata gives the header.
func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

// RequireTransportSecurity is false, because connect has decided.
func (b bearer) RequireTransportSecurity() bool { return false }

// interceptCall bounds a call's time and cleans its answer.
func (a *app) interceptCall(ctx context.Context, method string, request, reply any, connection *grpc.ClientConn, invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
	if !a.limited {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, callTimeout)
		defer cancel()
	}
	if err := invoke(ctx, method, request, reply, connection, options...); err != nil {
		return err
	}
	a.cleanReply(reply)
	return nil
}

// interceptStream cleans what a stream brings.
func (a *app) interceptStream(ctx context.Context, description *grpc.StreamDesc, connection *grpc.ClientConn, method string, open grpc.Streamer, options ...grpc.CallOption) (grpc.ClientStream, error) {
	stream, err := open(ctx, description, connection, method, options...)
	if err != nil {
		return nil, err
	}
	return &cleanStream{ClientStream: stream, app: a}, nil
}

type cleanStream struct {
	grpc.ClientStream
	app *app
}

// RecvMsg cleans each message.
func (s *cleanStream) RecvMsg(message any) error {
	if err := s.ClientStream.RecvMsg(message); err != nil {
		return err
	}
	s.app.cleanReply(message)
	return nil
}

// cleanReply makes an answer fit for a terminal. JSON is kept as it came: its writer escapes
// what a terminal would obey.
func (a *app) cleanReply(reply any) {
	if message, ok := reply.(proto.Message); ok && !a.json() {
		cleanMessage(message)
	}
}
