package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "port",
		Short: "Bring a customer's number in: what is asked, what is answered, where it is",
		Long: `Bring a customer's number in. Operators see where a port is and hand out links; what a
customer says about it (the details, another number, a stop) is said with a token of
PORTAL_BACKEND, by whoever has the customer on the phone and has made sure that it is the
customer.`,
		Example: `  dialtone port show sub-1001
  dialtone port prompt 0199c2e4-7a1b-7c3d-8e4f-0123456789ab
  dialtone port submit 0199c2e4-7a1b-7c3d-8e4f-0123456789ab`,
		RunE: a.group,
	}
	group.AddCommand(a.portShowCommand(), a.portPromptCommand(), a.portSubmitCommand(), a.portConfirmCommand(),
		a.portChangeNumberCommand(), a.portChangeDeviceCommand(), a.portKeepCommand(), a.portStopCommand(), a.portLinkCommand())
	return group
}

const onePortHelp = `The activation is named by its id alone (a UUID, which port show tells): those who speak for
customers may not look others up. Make sure first that it is the customer who asks.`

// oneActivation refuses all but the id of an activation.
func oneActivation(command *cobra.Command, args []string) error {
	if err := arguments("an activation's id")(command, args); err != nil {
		return err
	}
	if _, err := uuid.Parse(args[0]); err != nil {
		return fmt.Errorf("%s wants an activation's id (a UUID, which port show and workflow show tell), not %q", command.CommandPath(), args[0])
	}
	return nil
}

// answering is an act of the customer on a question.
type answering struct {
	app       *app
	requestID func(keep bool) string
	// revision is that of the question; 0 when none was named.
	revision int64
}

// newAnswer adds what every such act has.
func (a *app) newAnswer(command *cobra.Command, otherwise string) *answering {
	n := &answering{app: a, requestID: a.newRequest(command)}
	command.Flags().Int64Var(&n.revision, "revision", 0, "the question that the customer answers, as port prompt tells it (default "+otherwise+")")
	return n
}

// answerFields gives the flag of each field that such an act has, and of further ones in pairs.
func answerFields(more ...string) map[string]string {
	fields := map[string]string{"activation_id": "ACTIVATION", "revision": "--revision", "request_id": "--request-id"}
	for pair := range slices.Chunk(more, 2) {
		fields[pair[0]] = pair[1]
	}
	return fields
}

// theOneAsked is the default of --revision.
const theOneAsked = "the one asked now"

// question gives the revision that is answered: the one named, or that of what is asked now.
func (n *answering) question(ctx context.Context, id string) (int64, error) {
	if n.revision != 0 {
		return n.revision, nil
	}
	prompt, err := n.app.readPrompt(ctx, id)
	if err != nil {
		return 0, err
	}
	return n.on(prompt), nil
}

// on answers a question that was read. A repeat must name it: by then another may be asked.
func (n *answering) on(prompt *dialtonev1.PortingPrompt) int64 {
	if prompt.GetRevision() != 0 {
		n.app.repeatFlags = fmt.Sprintf(" --revision %d", prompt.GetRevision())
	}
	return prompt.GetRevision()
}

// readPrompt reads what the customer is asked now, fit for a terminal.
func (a *app) readPrompt(ctx context.Context, id string) (*dialtonev1.PortingPrompt, error) {
	response, err := dialtonev1.NewPortalServiceClient(a.connection).GetPortingPrompt(ctx, &dialtonev1.GetPortingPromptRequest{ActivationId: id})
	if err != nil {
		return nil, err
	}
	cleanMessage(response)
	return response.GetPrompt(), nil
}

// seePrompt is the command line that tells what is asked now.
func seePrompt(id string) string { return "dialtone port prompt " + id }

// detailName is the name of a field of the form, without its group: "account_number".
func detailName(path string) string { return strings.TrimPrefix(path, "us.") }
