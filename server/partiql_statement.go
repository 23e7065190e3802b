package server

import (
	"errors"
	"math"
	"strconv"
	"strings"

	"github.com/stator-db/stator/expression/partiql"
	"github.com/stator-db/stator/partition"
	"github.com/stator-db/stator/server/internal/api"
	"github.com/stator-db/stator/storage/item"
)

// A statement is a PartiQL statement of a request, on its table.
type statement struct {
	*partiql.Command
	table *partition.Table
	index *partition.Index // nil reads the table
}

// bindStatement parses a statement and fills in its parameters.
func bindStatement(text string, parameters []api.AttributeValue) (*partiql.Command, error) {
	parsed, err := partiql.Parse(text)
	if err != nil {
		return nil, statementFault(err)
	}
	values := make([]item.Value, len(parameters))
	for i, p := range parameters {
		switch {
		case p.Invalid != nil:
			return nil, parameterFault(p.Invalid)
		case !p.Present:
			return nil, parameterFault(&item.ValueError{Kind: item.NoType})
		}
		values[i] = p.Value
	}
	command, err := parsed.Bind(values)
	if err != nil {
		return nil, statementFault(err)
	}
	return command, nil
}

// statementFault is the ValidationException for an error of package partiql.
func statementFault(err error) error {
	var fault *partiql.Error
	if errors.As(err, &fault) {
		return validationText(fault.Text)
	}
	return err
}

// A badParameter is the fault of a value in Parameters. A transaction does not say
// which of its statements it belongs to.
type badParameter struct{ *apiError }

func (e badParameter) Unwrap() error { return e.apiError }

// parameterFault words what is wrong with a parameter. A number whose exponent
// does not fit 32 bits is not even a number here (measured).
func parameterFault(f *item.ValueError) error {
	if f.Kind == item.NumberOverflow || f.Kind == item.NumberUnderflow {
		if _, exponent, found := strings.Cut(strings.ToLower(f.Text), "e"); found {
			if n, err := strconv.ParseInt(exponent, 10, 64); err != nil || n > math.MaxInt32 || n < math.MinInt32 {
				f = &item.ValueError{Kind: item.NumberSyntax, Text: f.Text}
			}
		}
	}
	return badParameter{invalidValue(f, olderLayer, false)}
}

// findStatement looks up the table of a statement, and the index that it reads.
func (c *call) findStatement(command *partiql.Command, strong bool) (statement, error) {
	none := statement{}
	t, err := c.table(command.Table)
	var ix *partition.Index
	if err == nil && command.Index != "" {
		ix = t.Index(command.Index)
		if ix != nil && (len(ix.Key.Hash) > 1 || len(ix.Key.Range) > 1) {
			return none, validationText("PartiQL statements cannot be executed on tables with multi-attribute HASH keys or multi-attribute RANGE keys.")
		}
	}
	switch {
	case command.Fault != nil:
		return none, statementFault(command.Fault)
	case err != nil:
		return none, err
	case command.Index == "":
		return statement{command, t, nil}, nil
	case command.Kind == partiql.Update, command.Kind == partiql.Delete:
		return none, validationText("This operation is not supported on an index")
	case ix == nil, ix.Status == partition.IndexDeleting:
		return none, validationText("The table does not have the specified index")
	case !ix.Local && strong:
		return none, validationText("Strongly consistent read is not supported on Global Secondary Indexes")
	case ix.Status == partition.IndexCreating:
		return none, validation("Cannot read from backfilling global secondary index: %s", ix.Name)
	}
	return statement{command, t, ix}, nil
}

// existsMisplaced is the answer to an EXISTS outside of ExecuteTransaction.
func existsMisplaced() *apiError {
	return validationText("EXISTS can only be used in ExecuteTransaction write requests.")
}
