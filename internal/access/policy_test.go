package access_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"google.golang.org/grpc"

	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

var (
	serviceLine = regexp.MustCompile(`^service (\w+) \{`)
	callersLine = regexp.MustCompile(`^  // Callers: ([A-Z_, ]+)\.$`)
	rpcLine     = regexp.MustCompile(`^  rpc (\w+)\(\w+\) returns \((stream )?`)
)

// The table says what the schema promises: the "Callers:" line of each RPC.
func TestPolicies_AreTheSchemas(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../api/dialtone/v1/*_service.proto")
	if err != nil || len(files) == 0 {
		t.Fatalf("no schema: %v", err)
	}
	promised := map[string]access.Rule{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var service string
		var callers []mobile.Principal
		for line := range strings.Lines(string(text)) {
			line = strings.TrimRight(line, "\n")
			if m := serviceLine.FindStringSubmatch(line); m != nil {
				service = m[1]
			}
			if m := callersLine.FindStringSubmatch(line); m != nil {
				callers = nil
				for _, p := range strings.Split(m[1], ", ") {
					callers = append(callers, mobile.Principal(p))
				}
			}
			if m := rpcLine.FindStringSubmatch(line); m != nil {
				promised["/dialtone.v1."+service+"/"+m[1]] = access.Rule{Principals: callers, Streaming: m[2] != ""}
			}
		}
	}

	table := access.Policies()
	for method, want := range promised {
		got := table[method]
		slices.Sort(want.Principals)
		principals := slices.Sorted(slices.Values(got.Principals))
		if !slices.Equal(principals, want.Principals) || got.Streaming != want.Streaming {
			t.Errorf("%s is for %v (stream %t), and the schema says %v (stream %t)",
				method, principals, got.Streaming, want.Principals, want.Streaming)
		}
	}
	if len(table) != len(promised) {
		t.Errorf("%d rows for %d RPCs", len(table), len(promised))
	}
}

// registered is what a server with exactly the table's methods would tell.
func registered() map[string]grpc.ServiceInfo {
	services := map[string]grpc.ServiceInfo{}
	for method, rule := range access.Policies() {
		service, name, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
		info := services[service]
		info.Methods = append(info.Methods, grpc.MethodInfo{Name: name, IsServerStream: rule.Streaming})
		services[service] = info
	}
	return services
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(map[string]grpc.ServiceInfo)
		want   string
	}{
		"whole":         {func(map[string]grpc.ServiceInfo) {}, ""},
		"open services": {func(s map[string]grpc.ServiceInfo) { s["grpc.health.v1.Health"] = one("Check", false) }, ""},
		"without a row": {func(s map[string]grpc.ServiceInfo) { s["dialtone.v1.NewService"] = one("Act", false) }, "/dialtone.v1.NewService/Act has no rule"},
		"without a method": {
			func(s map[string]grpc.ServiceInfo) { delete(s, "dialtone.v1.EventService") },
			"/dialtone.v1.EventService/ListEvents has a rule and is not registered",
		},
		"streaming otherwise": {
			func(s map[string]grpc.ServiceInfo) {
				s["dialtone.v1.EventService"] = grpc.ServiceInfo{Methods: []grpc.MethodInfo{{Name: "ListEvents", IsServerStream: true}, {Name: "WatchEvents", IsServerStream: true}}}
			},
			"/dialtone.v1.EventService/ListEvents is said to stream, or not to, and is otherwise",
		},
	} {
		services := registered()
		test.change(services)
		err := access.Check(services)
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func one(method string, stream bool) grpc.ServiceInfo {
	return grpc.ServiceInfo{Methods: []grpc.MethodInfo{{Name: method, IsServerStream: stream}}}
}

func TestAuthorise(t *testing.T) {
	t.Parallel()
	const launch = "/dialtone.v1.WorkflowService/LaunchWorkflow"

	if err := access.Authorise(access.Caller{Principal: mobile.PrincipalBilling}, launch); err != nil {
		t.Error(err)
	}
	err := access.Authorise(access.Caller{Principal: mobile.PrincipalPortal}, launch)
	if f := fault.Of(err); f == nil || f.Kind != fault.Denied || !strings.Contains(f.Public, "BILLING") {
		t.Errorf("%v", err)
	}
	for name, caller := range map[string]access.Caller{"nobody": {}, "admin": {Principal: mobile.PrincipalAdmin}} {
		if err := access.Authorise(caller, "/dialtone.v1.WorkflowService/NoSuch"); err == nil {
			t.Errorf("%s may call what has no row", name)
		}
		if err := access.Authorise(caller, launch); err == nil {
			t.Errorf("%s may launch", name)
		}
	}
}
