package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portKeepCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "keep-new-number ACTIVATION",
		Short: "Give up the port, and go on with a new number",
		Long: `Give up the port, and go on with a new number: the subscription still comes on the air, and
the old number stays where it is, with the old provider's bill. This cannot be taken back:
to bring the number later is another activation. An order that is at the old provider is
cancelled first; if the number moves all the same, the answer is TOO_LATE.

` + onePortHelp,
		Example: `  dialtone port keep-new-number 0199c2e4-7a1b-7c3d-8e4f-0123456789ab
  dialtone port keep-new-number 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --revision 3`,
		Args: oneActivation,
	}
	answer := a.newAnswer(command, theOneAsked)
	command.RunE = a.act(portal, func(ctx context.Context, args []string) error {
		a.fields = answerFields()
		revision, err := answer.question(ctx, args[0])
		if err != nil {
			return err
		}
		response, err := dialtonev1.NewPortalServiceClient(a.connection).KeepNewNumber(ctx, &dialtonev1.KeepNewNumberRequest{
			RequestId:    answer.requestID(true),
			ActivationId: args[0],
			Revision:     revision,
		})
		if err != nil {
			return err
		}
		return a.verdict(args[0], response)
	})
	return command
}
