package cli

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// word is a value of the schema in words: "waiting for customer". The unspecified one is
// empty; one that is newer than this program shows its number.
func word(value protoreflect.Enum) string {
	if value.Number() == 0 {
		return ""
	}
	descriptor := value.Descriptor().Values().ByNumber(value.Number())
	if descriptor == nil {
		return fmt.Sprintf("unknown (%d)", value.Number())
	}
	return strings.ReplaceAll(strings.ToLower(bare(descriptor)), "_", " ")
}

// code is a value as the schema and scripts write it, without its prefix: "PORTAL_BACKEND".
func code(value protoreflect.Enum) string {
	return strings.ToUpper(strings.ReplaceAll(word(value), " ", "_"))
}

// bare is the name of a value without the prefix that its type gives it.
func bare(value protoreflect.EnumValueDescriptor) string {
	var prefix strings.Builder
	for i, r := range string(value.Parent().Name()) {
		if unicode.IsUpper(r) && i > 0 {
			prefix.WriteByte('_')
		}
		prefix.WriteRune(unicode.ToUpper(r))
	}
	return strings.TrimPrefix(string(value.Name()), prefix.String()+"_")
}

// enumeration is what the generated enums have in common.
type enumeration interface {
	~int32
	protoreflect.Enum
}

// words is a flag that takes values of the schema, written as one likes: waiting-for-customer,
// WAITING_FOR_CUSTOMER.
type words[E enumeration] struct {
	values []E
	many   bool
}

// Set takes one value, or where there may be many, several with commas between.
func (w *words[E]) Set(text string) error {
	parts := []string{text}
	if w.many {
		parts = strings.Split(text, ",")
	} else {
		w.values = nil
	}
	for _, part := range parts {
		value, err := parseWord[E](part)
		if err != nil {
			return err
		}
		w.values = append(w.values, value)
	}
	return nil
}

// String lists the values.
func (w *words[E]) String() string {
	var all []string
	for _, value := range w.values {
		all = append(all, flagWord(word(value)))
	}
	return strings.Join(all, ",")
}

// Type stands in the help text.
func (w *words[E]) Type() string {
	if w.many {
		return "words"
	}
	return "word"
}

// value is the one given; the unspecified one when none was.
func (w *words[E]) value() E {
	if len(w.values) == 0 {
		return 0
	}
	return w.values[0]
}

// add puts the flag on a command; the usage lists what it takes.
func (w *words[E]) add(command *cobra.Command, name, usage string) {
	allowed := allWords[E]()
	command.Flags().Var(w, name, usage+": "+strings.Join(allowed, ", "))
	complete(command, name, allowed)
}

func parseWord[E enumeration](text string) (E, error) {
	wanted := flagWord(strings.ToLower(strings.TrimSpace(text)))
	var none E
	values := none.Descriptor().Values()
	for i := range values.Len() {
		if values.Get(i).Number() != 0 && flagWord(strings.ToLower(bare(values.Get(i)))) == wanted {
			return E(values.Get(i).Number()), nil
		}
	}
	return none, fmt.Errorf("it may be %s", strings.Join(allWords[E](), ", "))
}

// allWords lists what may be given.
func allWords[E enumeration]() []string {
	var none E
	var all []string
	values := none.Descriptor().Values()
	for i := range values.Len() {
		if values.Get(i).Number() != 0 {
			all = append(all, flagWord(strings.ToLower(bare(values.Get(i)))))
		}
	}
	return slices.Clip(all)
}

// flagWord is a value as flags write it.
func flagWord(text string) string {
	return strings.NewReplacer(" ", "-", "_", "-").Replace(text)
}
