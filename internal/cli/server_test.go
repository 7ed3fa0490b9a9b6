package cli_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"path"
	"strings"
	"sync"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/protoadapt"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/known/durationpb"

	_ "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

// holdTimeout bounds the wait for a held call, for a test that is wrong.
const holdTimeout = 30 * time.Second

// answer is what the server says to one call of a method. Answers of a method are taken in
// their order, one a call; the last one stays.
type answer struct {
	Method string `json:"method"`
	// Reply is the response of a unary call, Stream the messages of a streaming one.
	Reply  json.RawMessage   `json:"reply"`
	Stream []json.RawMessage `json:"stream"`
	// Hold keeps the call open after that, until the caller leaves.
	Hold bool `json:"hold"`

	// Code and what follows make a status; a stream sends its messages first.
	Code     codes.Code        `json:"code"`
	Message  string            `json:"message"`
	Reason   string            `json:"reason"`
	Metadata map[string]string `json:"metadata"`
	Fields   []struct {
		Field       string `json:"field"`
		Reason      string `json:"reason"`
		Description string `json:"description"`
	} `json:"fields"`
	Preconditions []string `json:"preconditions"`
	RetrySeconds  int64    `json:"retry_seconds"`
}

// server speaks the wire of all services in the schema and says what it is told to.
type server struct {
	address string
	grpc    *grpc.Server

	mu      sync.Mutex
	answers map[string][]answer
	calls   []string
	held    map[string]chan struct{}
}

func newServer() (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	s := &server{address: listener.Addr().String(), answers: map[string][]answer{}, held: map[string]chan struct{}{}}
	s.grpc = grpc.NewServer(grpc.UnknownServiceHandler(s.handle))
	go func() { _ = s.grpc.Serve(listener) }() // It ends with stop.
	return s, nil
}

func (s *server) stop() { s.grpc.Stop() }

// load replaces the answers of the methods that are named.
func (s *server) load(all []answer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range all {
		delete(s.answers, a.Method)
	}
	for _, a := range all {
		s.answers[a.Method] = append(s.answers[a.Method], a)
	}
}

// asked lists the calls since it was last asked, and forgets them.
func (s *server) asked() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := strings.Join(s.calls, "")
	s.calls = nil
	return text
}

func (s *server) awaitHold(method string) bool {
	select {
	case <-s.hold(method):
		return true
	case <-time.After(holdTimeout):
		return false
	}
}

// hold is closed once a call of the method is held.
func (s *server) hold(method string) chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[method] == nil {
		s.held[method] = make(chan struct{})
	}
	return s.held[method]
}

// handle answers a call of any method.
func (s *server) handle(_ any, stream grpc.ServerStream) error {
	full, _ := grpc.MethodFromServerStream(stream)
	method, err := methodOf(full)
	if err != nil {
		return status.Error(codes.Unimplemented, err.Error())
	}
	request := newMessage(method.Input())
	if err := stream.RecvMsg(request); err != nil {
		return err
	}
	a, ok := s.take(string(method.Name()), request, stream)
	if !ok {
		return status.Errorf(codes.Internal, "the script has no answer for %s", method.Name())
	}
	replies := a.Stream
	if a.Reply != nil {
		replies = append(replies, a.Reply)
	}
	for _, reply := range replies {
		message := newMessage(method.Output())
		if err := protojson.Unmarshal(reply, message); err != nil {
			return status.Errorf(codes.Internal, "the script's answer for %s: %v", method.Name(), err)
		}
		if err := stream.SendMsg(message); err != nil {
			return err
		}
	}
	if a.Hold {
		held := s.hold(string(method.Name()))
		s.mu.Lock()
		select {
		case <-held:
		default:
			close(held)
		}
		s.mu.Unlock()
		<-stream.Context().Done()
		return stream.Context().Err()
	}
	return a.status()
}

// take writes the call down and gives its answer.
func (s *server) take(method string, request proto.Message, stream grpc.ServerStream) (answer, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	token := ""
	if incoming, ok := metadata.FromIncomingContext(stream.Context()); ok {
		token = strings.TrimPrefix(strings.Join(incoming.Get("authorization"), " "), "Bearer ")
	}
	s.calls = append(s.calls, fmt.Sprintf("%s %s %s\n", method, token, compact(request)))
	queue := s.answers[method]
	if len(queue) == 0 {
		return answer{}, false
	}
	if len(queue) > 1 {
		s.answers[method] = queue[1:]
	}
	return queue[0], true
}

// status is the answer's end; nil is well.
func (a answer) status() error {
	if a.Code == codes.OK {
		return nil
	}
	var details []protoadapt.MessageV1
	if a.Reason != "" {
		details = append(details, protoadapt.MessageV1Of(&errdetails.ErrorInfo{Reason: a.Reason, Domain: "dialtone", Metadata: a.Metadata}))
	}
	if len(a.Fields) > 0 {
		bad := &errdetails.BadRequest{}
		for _, f := range a.Fields {
			bad.FieldViolations = append(bad.FieldViolations, &errdetails.BadRequest_FieldViolation{Field: f.Field, Reason: f.Reason, Description: f.Description})
		}
		details = append(details, protoadapt.MessageV1Of(bad))
	}
	if len(a.Preconditions) > 0 {
		failed := &errdetails.PreconditionFailure{}
		for _, text := range a.Preconditions {
			failed.Violations = append(failed.Violations, &errdetails.PreconditionFailure_Violation{Type: "STATUS", Description: text})
		}
		details = append(details, protoadapt.MessageV1Of(failed))
	}
	if a.RetrySeconds > 0 {
		details = append(details, protoadapt.MessageV1Of(&errdetails.RetryInfo{RetryDelay: &durationpb.Duration{Seconds: a.RetrySeconds}}))
	}
	made, err := status.New(a.Code, a.Message).WithDetails(details...)
	if err != nil {
		return status.Errorf(codes.Internal, "the script's status: %v", err)
	}
	return made.Err()
}

// methodOf finds a method of the schema by its path, /package.Service/Method.
func methodOf(full string) (protoreflect.MethodDescriptor, error) {
	service, name := path.Split(strings.TrimPrefix(full, "/"))
	found, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(strings.TrimSuffix(service, "/")))
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", service, err)
	}
	described, ok := found.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no service", service)
	}
	return described.Methods().ByName(protoreflect.Name(name)), nil
}

func newMessage(described protoreflect.MessageDescriptor) proto.Message {
	kind, err := protoregistry.GlobalTypes.FindMessageByName(described.FullName())
	if err != nil {
		panic(err) // The generated code registers all.
	}
	return kind.New().Interface()
}

// compact is a message as one line of JSON.
func compact(message proto.Message) string {
	data, err := protojson.MarshalOptions{UseProtoNames: true}.Marshal(message)
	if err != nil {
		return err.Error()
	}
	var out bytes.Buffer
	if err := json.Compact(&out, data); err != nil {
		return err.Error()
	}
	return out.String()
}
