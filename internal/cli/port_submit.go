package cli

import (
	"context"

	"github.com/spf13/cobra"

	dialtonev1 "github.com/dialtone/dialtone/api/gen/dialtone/v1"
)

func (a *app) portSubmitCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "submit ACTIVATION",
		Short: "Give what the old provider wants to know, or correct it, for the customer",
		Long: `Give what the old provider wants to know, or correct it, for the customer. On a terminal it
asks for what is asked of the customer now, one thing after the other; an empty answer keeps
what is held, and a PIN is not shown. With --stdin the details are read from standard input,
one a line, by the names that port prompt lists:

  account_number: 5551234567
  pin: 0420
  number_in_service: yes

Blank lines and those that begin with # are passed over. What is left out or empty keeps what
is held. The names are account_number, pin, account_zip, first_name, last_name, address_line,
city, region, number_in_service (yes or no), pin_make_date (YYYY-MM-DD) and
accepts_line_losses (yes or no).

No detail is ever a flag: flags show in the list of processes and in the shell's history. Once
sent they are not shown again, not even to whoever sent them.

It ends with exit code 5 when nothing was taken: what was refused is given unchanged
(UNCHANGED), another question is asked by now (STALE), or the number moves already
(TOO_LATE).

` + onePortHelp,
		Example: `  dialtone port submit 0199c2e4-7a1b-7c3d-8e4f-0123456789ab
  dialtone port submit 0199c2e4-7a1b-7c3d-8e4f-0123456789ab --stdin --revision 2 < details.txt`,
		Args: oneActivation,
	}
	fromStdin := command.Flags().Bool("stdin", false, "read the details from standard input, one a line, as name: value")
	answer := a.newAnswer(command, theOneAsked)
	command.RunE = a.act(portal, func(ctx context.Context, args []string) error {
		a.fields = answerFields()
		a.repeatInput = " and the same details"
		request := &dialtonev1.SubmitPortingInfoRequest{ActivationId: args[0], Revision: answer.revision}
		collect := a.askDetails
		if *fromStdin {
			collect = a.pipedDetails
		}
		details, err := collect(ctx, request, answer)
		if err != nil {
			return err
		}
		request.Credentials = &dialtonev1.SubmitPortingInfoRequest_Us{Us: details}
		request.RequestId = answer.requestID(true)
		response, err := dialtonev1.NewPortalServiceClient(a.connection).SubmitPortingInfo(ctx, request)
		if err != nil {
			return err
		}
		return a.verdict(args[0], response)
	})
	return command
}

// pipedDetails reads the details from stdin, and the question unless it was named.
func (a *app) pipedDetails(ctx context.Context, request *dialtonev1.SubmitPortingInfoRequest, answer *answering) (*dialtonev1.UsPortingInfo, error) {
	details, err := readDetails(a.env.In)
	if err != nil {
		return nil, &usageError{text: err.Error(), help: "dialtone port submit --help"}
	}
	a.nameDetails(nil)
	if request.GetRevision() != 0 {
		return details, nil
	}
	prompt, err := a.readPrompt(ctx, request.GetActivationId())
	if err != nil {
		return nil, err
	}
	a.nameDetails(prompt)
	request.Revision = answer.on(prompt)
	return details, nil
}

// nameDetails has the server's refusals call each field as people know it.
func (a *app) nameDetails(prompt *dialtonev1.PortingPrompt) {
	for _, name := range detailNames() {
		a.fields["us."+name] = name
	}
	for _, field := range prompt.GetRequiredFields() {
		a.fields[field.GetField()] = join(" ", field.GetLabel(), parenthesised(detailName(field.GetField())))
	}
}
