package config

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/sethvargo/go-envconfig"

	"github.com/dialtone/dialtone/internal/secret"
)

// Fault is one variable that cannot be used.
type Fault struct {
	// Variable is its name.
	Variable string
	// Wrong says what it is now. It never repeats a secret.
	Wrong string
	// Right says what it should be.
	Right string
}

// Faults are all that is wrong with the environment of one binary, in the order of its
// settings.
type Faults []Fault

// Error has one line for each variable.
func (f Faults) Error() string {
	var b strings.Builder
	b.WriteString("the environment cannot be used:")
	for _, fault := range f {
		fmt.Fprintf(&b, "\n  %s %s: want %s", fault.Variable, fault.Wrong, fault.Right)
	}
	return b.String()
}

// checker is a part of the settings with rules of its own.
type checker interface{ check(*report) }

// load reads every field before it gives up, unlike envconfig, which stops at the first
// that is wrong; so it asks envconfig for one field at a time.
func load[T any](ctx context.Context, lookuper envconfig.Lookuper) (T, error) {
	var settings T
	r := &report{variables: map[string]variable{}}
	r.read(ctx, notBlank(lookuper), reflect.ValueOf(&settings).Elem())
	if len(r.faults) > 0 {
		var none T
		return none, r.faults
	}
	return settings, nil
}

// notBlank makes a variable that is set to nothing one that is not set.
func notBlank(lookuper envconfig.Lookuper) envconfig.Lookuper {
	return envconfig.LookuperFunc(func(name string) (string, bool) {
		value, ok := lookuper.Lookup(name)
		value = strings.TrimSpace(value)
		return value, ok && value != ""
	})
}

// variable is what the report knows of one.
type variable struct {
	want string
	// shown is the value for the error, "" when the variable is not set.
	shown string
	// faulty says that it has been reported.
	faulty bool
}

// report collects faults while the settings are read.
type report struct {
	variables map[string]variable
	faults    Faults
}

// read fills a struct, part by part, and checks it.
func (r *report) read(ctx context.Context, lookuper envconfig.Lookuper, settings reflect.Value) {
	for i := range settings.NumField() {
		field, value := settings.Type().Field(i), settings.Field(i)
		if field.Tag.Get("env") == "" {
			r.read(ctx, lookuper, value)
			continue
		}
		r.readField(ctx, lookuper, field, value)
	}
	if part, ok := settings.Interface().(checker); ok {
		part.check(r)
	}
}

// readField lets envconfig decode a struct that has this field alone.
func (r *report) readField(ctx context.Context, lookuper envconfig.Lookuper, field reflect.StructField, value reflect.Value) {
	name := variableName(field)
	r.variables[name] = variable{want: field.Tag.Get("want"), shown: shown(lookuper, name, field.Type)}
	alone := reflect.New(reflect.StructOf([]reflect.StructField{{Name: field.Name, Type: field.Type, Tag: field.Tag}}))
	err := envconfig.ProcessWith(ctx, &envconfig.Config{Target: alone.Interface(), Lookuper: lookuper})
	switch {
	case err == nil:
		value.Set(alone.Elem().Field(0))
	case errors.Is(err, envconfig.ErrMissingRequired):
		r.fault(name, "is not set")
	default:
		r.unless(false, name)
	}
}

func variableName(field reflect.StructField) string {
	name, _, _ := strings.Cut(field.Tag.Get("env"), ",")
	return strings.TrimSpace(name)
}

// shown is how the error shows a value: never a secret, nor a password inside an address.
func shown(lookuper envconfig.Lookuper, name string, kind reflect.Type) string {
	value, ok := lookuper.Lookup(name)
	switch {
	case !ok:
		return ""
	case kind == reflect.TypeFor[secret.String]():
		return "is set to something else"
	default:
		return fmt.Sprintf("is %.80q", secret.Redact(value))
	}
}

// unless reports a variable that is set, and wrong.
func (r *report) unless(right bool, name string) {
	if v := r.variables[name]; !right && v.shown != "" {
		r.fault(name, v.shown)
	}
}

// together reports one of two variables that is missing while the other is set.
func (r *report) together(a, b string) {
	switch hasA, hasB := r.variables[a].shown != "", r.variables[b].shown != ""; {
	case hasA && !hasB:
		r.fault(b, "is not set, but "+a+" is")
	case hasB && !hasA:
		r.fault(a, "is not set, but "+b+" is")
	}
}

// fault reports a variable once: what is said first is nearest to the cause.
func (r *report) fault(name, wrong string) {
	v := r.variables[name]
	if v.faulty {
		return
	}
	v.faulty = true
	r.variables[name] = v
	r.faults = append(r.faults, Fault{Variable: name, Wrong: wrong, Right: v.want})
}
