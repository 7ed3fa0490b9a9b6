package access

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/grpc"

	"github.com/dialtone/dialtone/internal/fault"
	"github.com/dialtone/dialtone/internal/mobile"
)

// ErrDenied refuses a call that is not for this caller.
var ErrDenied = fault.New(fault.Denied, "PERMISSION_DENIED", "This token may not make this call.")

// Rule says who may make a call.
type Rule struct {
	Principals []mobile.Principal
	// Streaming tells that the answer is a stream, without a deadline.
	Streaming bool
}

// The groups that the calls are for. Each RPC's "Callers:" line in the schema says the same.
var (
	admin    = []mobile.Principal{mobile.PrincipalAdmin}
	billing  = []mobile.Principal{mobile.PrincipalBilling}
	staff    = []mobile.Principal{mobile.PrincipalOperator, mobile.PrincipalConsole}
	readers  = append(slices.Clone(billing), staff...)
	keepers  = append(slices.Clone(admin), staff...)
	all      = append(slices.Concat(admin, billing, staff), mobile.PrincipalPortalBackend)
	customer = []mobile.Principal{mobile.PrincipalPortalBackend, mobile.PrincipalPortal}
	linkers  = append(slices.Clone(staff), mobile.PrincipalPortalBackend)
	backend  = []mobile.Principal{mobile.PrincipalPortalBackend}
)

// Policies gives the whole table: one row for each RPC, by its full method name.
func Policies() map[string]Rule { return maps.Clone(policies) }

var policies = map[string]Rule{
	"/dialtone.v1.SubscriptionService/CreateSubscription": {Principals: billing},
	"/dialtone.v1.SubscriptionService/GetSubscription":    {Principals: readers},
	"/dialtone.v1.SubscriptionService/ListSubscriptions":  {Principals: readers},
	"/dialtone.v1.SubscriptionService/CancelSubscription": {Principals: billing},

	"/dialtone.v1.WorkflowService/LaunchWorkflow":        {Principals: readers},
	"/dialtone.v1.WorkflowService/GetWorkflow":           {Principals: readers},
	"/dialtone.v1.WorkflowService/ListWorkflows":         {Principals: readers},
	"/dialtone.v1.WorkflowService/WatchWorkflow":         {Principals: readers, Streaming: true},
	"/dialtone.v1.WorkflowService/CancelWorkflow":        {Principals: readers},
	"/dialtone.v1.WorkflowService/RetryStep":             {Principals: staff},
	"/dialtone.v1.WorkflowService/ResolveAction":         {Principals: staff},
	"/dialtone.v1.WorkflowService/ResendActivationEmail": {Principals: staff},
	"/dialtone.v1.WorkflowService/ReplaceProfile":        {Principals: staff},
	"/dialtone.v1.WorkflowService/CorrectContact":        {Principals: staff},
	"/dialtone.v1.WorkflowService/CorrectPort":           {Principals: staff},
	"/dialtone.v1.WorkflowService/ExtendDeadline":        {Principals: staff},
	"/dialtone.v1.WorkflowService/AddNote":               {Principals: staff},

	"/dialtone.v1.PortalService/GetPortingPrompt":   {Principals: customer},
	"/dialtone.v1.PortalService/SubmitPortingInfo":  {Principals: customer},
	"/dialtone.v1.PortalService/ConfirmDonorAction": {Principals: customer},
	"/dialtone.v1.PortalService/ChangeNumber":       {Principals: customer},
	"/dialtone.v1.PortalService/ChangeDevice":       {Principals: customer},
	"/dialtone.v1.PortalService/KeepNewNumber":      {Principals: customer},
	"/dialtone.v1.PortalService/StopPort":           {Principals: customer},
	"/dialtone.v1.PortalService/GetInstallCode":     {Principals: customer},
	"/dialtone.v1.PortalService/ReportInstallation": {Principals: customer},
	"/dialtone.v1.PortalService/CreatePortalLink":   {Principals: linkers},
	"/dialtone.v1.PortalService/RequestPortalLink":  {Principals: backend},

	"/dialtone.v1.EventService/ListEvents":  {Principals: readers},
	"/dialtone.v1.EventService/WatchEvents": {Principals: readers, Streaming: true},

	"/dialtone.v1.AdminService/CreateTenant":   {Principals: admin},
	"/dialtone.v1.AdminService/UpdateTenant":   {Principals: admin},
	"/dialtone.v1.AdminService/GetTenant":      {Principals: all},
	"/dialtone.v1.AdminService/CreateToken":    {Principals: admin},
	"/dialtone.v1.AdminService/ListTokens":     {Principals: admin},
	"/dialtone.v1.AdminService/RevokeToken":    {Principals: admin},
	"/dialtone.v1.AdminService/ImportProfiles": {Principals: keepers},
	"/dialtone.v1.AdminService/ListProfiles":   {Principals: keepers},
	"/dialtone.v1.AdminService/FindWorkflows":  {Principals: keepers},
	"/dialtone.v1.AdminService/GetOverview":    {Principals: keepers},
	"/dialtone.v1.AdminService/HoldPartner":    {Principals: keepers},
	"/dialtone.v1.AdminService/ResumePartner":  {Principals: keepers},
	"/dialtone.v1.AdminService/ReviveWorkflow": {Principals: keepers},
	"/dialtone.v1.AdminService/CheckHealth":    {Principals: keepers},
}

// openServices need no token: probes have none, and reflection, which the schema's readers
// use, is there only where it was switched on.
var openServices = []string{
	"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
}

// Open tells whether a method needs no token.
func Open(method string) bool {
	service, _, _ := strings.Cut(strings.TrimPrefix(method, "/"), "/")
	return slices.Contains(openServices, service)
}

// Authorise refuses ErrDenied unless the table lets the caller make the call. A method
// without a row is for nobody.
func Authorise(c Caller, method string) error {
	rule := policies[method]
	if slices.Contains(rule.Principals, c.Principal) {
		return nil
	}
	name := method[strings.LastIndexByte(method, '/')+1:]
	return ErrDenied.Saying(fmt.Sprintf("A token of principal %s may not call %s. It is for: %s.",
		c.Principal, name, join(rule.Principals)))
}

func join(principals []mobile.Principal) string {
	words := make([]string, 0, len(principals))
	for _, p := range principals {
		words = append(words, string(p))
	}
	return strings.Join(words, ", ")
}

// Check compares the table with what a server has registered. It fails for a registered
// method without a row, for a row without a method, and for one whose streaming differs, so
// that a server whose rules are not whole does not start.
func Check(services map[string]grpc.ServiceInfo) error {
	var wrong []string
	registered := make(map[string]bool)
	for service, info := range services {
		if slices.Contains(openServices, service) {
			continue
		}
		for _, method := range info.Methods {
			name := "/" + service + "/" + method.Name
			registered[name] = true
			rule, ok := policies[name]
			switch {
			case !ok || len(rule.Principals) == 0:
				wrong = append(wrong, name+" has no rule")
			case rule.Streaming != method.IsServerStream:
				wrong = append(wrong, name+" is said to stream, or not to, and is otherwise")
			}
		}
	}
	for name := range policies {
		if !registered[name] {
			wrong = append(wrong, name+" has a rule and is not registered")
		}
	}
	if len(wrong) == 0 {
		return nil
	}
	slices.Sort(wrong)
	return fmt.Errorf("the policy table: %s", strings.Join(wrong, "; "))
}
