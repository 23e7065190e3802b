//go:build linux

package faults

import (
	"fmt"

	"github.com/anishathalye/porcupine"
)

// A cell is an item with one number. What conditional writes set is a multiple of step and never the same
// twice, so that a read tells which of them it has seen, and how many counts came after it.
const step = 1000

// read is a strongly consistent GetItem; its output is the number, 0 for no item.
type read struct{ key string }

// swap is a PutItem on the condition that the number is want; its output tells whether it was.
type swap struct {
	key        string
	want, next int
}

// count is an UpdateItem with ADD; its output is the new number.
type count struct{ key string }

// undecided is the output of an operation whose outcome the client was not told.
type undecided struct{}

// cellModel is the behaviour of single items.
var cellModel = porcupine.Model{
	Partition: func(all []porcupine.Operation) [][]porcupine.Operation {
		return partitionBy(all, func(input any) string {
			switch op := input.(type) {
			case swap:
				return op.key
			case count:
				return op.key
			}
			return input.(read).key
		})
	},
	Init: func() any { return 0 },
	Step: func(state, input, output any) (bool, any) {
		value := state.(int)
		switch op := input.(type) {
		case read:
			return output.(int) == value, value
		case swap:
			if held, told := output.(bool); told && held != (value == op.want) {
				return false, value
			}
			if value == op.want {
				return true, op.next
			}
			return true, value
		}
		if sum, told := output.(int); told && sum != value+1 {
			return false, value
		}
		return true, value + 1
	},
	DescribeOperation: describe,
	DescribeState:     func(state any) string { return fmt.Sprint(state) },
}

func describe(input, output any) string {
	if _, unknown := output.(undecided); unknown {
		return fmt.Sprintf("%T%+v ?", input, input)
	}
	return fmt.Sprintf("%T%+v -> %+v", input, input, output)
}

func partitionBy(all []porcupine.Operation, key func(input any) string) [][]porcupine.Operation {
	byKey := map[string][]porcupine.Operation{}
	for _, op := range all {
		k := key(op.Input)
		byKey[k] = append(byKey[k], op)
	}
	parts := make([][]porcupine.Operation, 0, len(byKey))
	for _, part := range byKey {
		parts = append(parts, part)
	}
	return parts
}
