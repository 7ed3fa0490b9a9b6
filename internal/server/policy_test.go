package server_test

import (
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/dynamicpb"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
	"github.com/dialtone/dialtone/internal/access"
	"github.com/dialtone/dialtone/internal/mobile"
	"github.com/dialtone/dialtone/internal/server"
)

// schema gives every RPC of the schema by its full name.
func schema() map[string]protoreflect.MethodDescriptor {
	all := make(map[string]protoreflect.MethodDescriptor)
	for _, file := range []protoreflect.FileDescriptor{
		dialtonev1.File_dialtone_v1_subscription_service_proto, dialtonev1.File_dialtone_v1_workflow_service_proto,
		dialtonev1.File_dialtone_v1_portal_service_proto, dialtonev1.File_dialtone_v1_event_service_proto,
		dialtonev1.File_dialtone_v1_admin_service_proto,
	} {
		for i := range file.Services().Len() {
			service := file.Services().Get(i)
			for j := range service.Methods().Len() {
				method := service.Methods().Get(j)
				all["/"+string(service.FullName())+"/"+string(method.Name())] = method
			}
		}
	}
	return all
}

// invoke calls any RPC; of a stream it takes the first message.
func (b *bundle) invoke(t *testing.T, token, method string, request *dynamicpb.Message) (*dynamicpb.Message, error) {
	t.Helper()
	ctx := t.Context()
	if token != "" {
		ctx = as(ctx, token)
	}
	descriptor := schema()[method]
	response := dynamicpb.NewMessage(descriptor.Output())
	if !descriptor.IsStreamingServer() {
		return response, b.conn.Invoke(ctx, method, request, response)
	}
	stream, err := b.conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, method)
	must(t, err)
	if err := stream.SendMsg(request); err != nil {
		return nil, err
	}
	must(t, stream.CloseSend())
	return response, stream.RecvMsg(response)
}

func TestPolicies_EveryMethodAndPrincipal(t *testing.T) {
	t.Parallel()
	b := setup(t, func(c *server.Config) { *c = c.WithHeartbeat(time.Nanosecond) })
	revoked, id := b.newToken(t, mobile.Token{Principal: mobile.PrincipalBilling, Tenant: b.a.ID, Name: "gone"})
	_, err := b.Connect(t).Exec(t.Context(), `UPDATE tokens SET revoked_at = now() WHERE token_id = $1`, id)
	must(t, err)
	expired, _ := b.newToken(t, mobile.Token{
		Principal: mobile.PrincipalBilling, Tenant: b.a.ID, Name: "old", Expires: time.Now().Add(-time.Second),
	})
	portal, _ := b.newToken(t, mobile.Token{
		Principal: mobile.PrincipalPortal, Tenant: b.a.ID, Activation: b.launched(t, b.a).ID,
	})
	unknown, _, _ := access.NewToken(mobile.PrincipalBilling)
	known := map[mobile.Principal]string{mobile.PrincipalAdmin: b.admin, mobile.PrincipalPortal: portal}
	for p, token := range b.a.tokens {
		known[p] = token
	}

	for method, descriptor := range schema() {
		empty := dynamicpb.NewMessage(descriptor.Input())
		for name, token := range map[string]string{
			"none": "", "revoked": revoked, "expired": expired, "unknown": unknown.Reveal(), "nonsense": "dt_x",
		} {
			_, err := b.invoke(t, token, method, empty)
			if got := refused(t, err); got.Code != codes.Unauthenticated || got.Reason != "UNAUTHENTICATED" {
				t.Errorf("%s with a token that is %s: %v", method, name, err)
			}
		}
		for principal, token := range known {
			_, err := b.invoke(t, token, method, empty)
			denied := err != nil && refused(t, err).Reason == "PERMISSION_DENIED"
			if allowed := slices.Contains(access.Policies()[method].Principals, principal); denied == allowed {
				t.Errorf("%s as %s: %v", method, principal, err)
			}
		}
	}
}

// What is not built says so, after it has asked who calls.
func TestNotBuilt(t *testing.T) {
	t.Parallel()
	b := setup(t)

	_, err := b.workflows.RetryStep(as(t.Context(), b.a.operator()), &dialtonev1.RetryStepRequest{})
	wantRefusal(t, err, refusal{Code: codes.Unimplemented, Reason: "NOT_BUILT"})
	_, err = b.admins.GetOverview(as(t.Context(), b.admin), &dialtonev1.GetOverviewRequest{})
	wantRefusal(t, err, refusal{Code: codes.Unimplemented, Reason: "NOT_BUILT"})
	_, err = b.workflows.RetryStep(as(t.Context(), b.a.billing()), &dialtonev1.RetryStepRequest{})
	wantRefusal(t, err, refusal{Code: codes.PermissionDenied, Reason: "PERMISSION_DENIED"})
}

func TestTwoTokensInOneCall(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := metadata.AppendToOutgoingContext(as(t.Context(), b.a.billing()), "authorization", "Bearer "+b.b.billing())

	_, err := b.subscriptions.ListSubscriptions(ctx, &dialtonev1.ListSubscriptionsRequest{})

	wantRefusal(t, err, refusal{Code: codes.Unauthenticated, Reason: "UNAUTHENTICATED"})
}
