package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portStopCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "stop ACTIVATION",
		Short: "Give up the port and the activation, as the customer wishes",
		Long: `Give up the port and the activation, as the customer wishes: nothing comes on the air, what
was taken is given back, the old number stays where it is and works on, and the subscription
stays pending. This cannot be taken back: another try is another activation. A number that is
moving or has moved is not stopped; the answer is then TOO_LATE.

` + onePortHelp,
		Example: `  dialtone port stop 0199c2e4-7a1b-7c3d-8e4f-0123456789ab
  dialtone port stop 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --revision 3`,
		Args: oneActivation,
	}
	answer := a.newAnswer(command, "whichever is asked, or none")
	command.RunE = a.act(portal, func(ctx context.Context, args []string) error {
		a.fields = answerFields()
		response, err := dialtonev1.NewPortalServiceClient(a.connection).StopPort(ctx, &dialtonev1.StopPortRequest{
			RequestId:    answer.requestID(true),
			ActivationId: args[0],
			Revision:     answer.revision,
		})
		if err != nil {
			return err
		}
		return a.verdict(args[0], response)
	})
	return command
}
