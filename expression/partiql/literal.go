package partiql

import (
	"strconv"

	"github.com/stator-db/stator/storage/item"
)

// maxDepth is how many lists and maps may surround a value in a literal.
const maxDepth = 31

const nestingFault = "Nesting Levels have exceeded supported limits"

// literal returns the value that n writes down. Whether a parameter may be one
// is the caller's to see: inside a literal it may not. key is where n stands in
// the value that it is part of, "root" for all of it, as errors say.
func literal(n *orSyntax, key string, depth int) (item.Value, *Error) {
	u := n.operand()
	if u == nil {
		return nil, errorf("Unsupported data type: %s under key %s", n.operation(), key)
	}
	return literalOperand(u, key, depth)
}

func literalOperand(u *operandSyntax, key string, depth int) (item.Value, *Error) {
	if depth > maxDepth {
		return nil, errorf("%s under %s", nestingFault, key)
	}
	if len(u.Signs) > 0 || u.number() != "" {
		return number(u, key)
	}
	if text, ok := u.str(); ok {
		return item.String(text), nil
	}
	switch {
	case u.term() == nil:
	case u.Literal == "TRUE", u.Literal == "FALSE":
		return item.Bool(u.Literal == "TRUE"), nil
	case u.Literal == "NULL":
		return item.Null(), nil
	case u.List != nil:
		return list(u.List.Elements, key, depth)
	case u.Group != nil:
		return list(u.Group, key, depth)
	case u.Bag != nil:
		return bag(u.Bag.Members, key)
	case u.Struct != nil:
		return structure(u.Struct, key, depth)
	}
	return nil, unsupportedValue(u, key)
}

// unsupportedValue is the error of an expression where only a literal can stand.
func unsupportedValue(u *operandSyntax, key string) *Error {
	token, call := u.call()
	switch {
	case u.parameter() != "":
		token = "?"
	case call == nil:
		token = u.Name
	}
	return errorf("Unsupported data type: %s under key %s%s", u.operation(), key, at(u.Pos, token))
}

func list(elements []*orSyntax, key string, depth int) (item.Value, *Error) {
	values := make([]item.Value, len(elements))
	for i, e := range elements {
		var fault *Error
		if values[i], fault = literal(e, key+"["+strconv.Itoa(i)+"]", depth+1); fault != nil {
			return nil, fault
		}
	}
	return item.List(values...), nil
}

// key returns the name of a field, which must be a string.
func (f *fieldSyntax) key() (string, *Error) {
	if f.Name[0] != '\'' {
		return "", malformed("Unexpected term")
	}
	return unquote(f.Name), nil
}

func structure(s *structSyntax, key string, depth int) (item.Value, *Error) {
	fields := make(map[string]item.Value, len(s.Fields))
	for _, f := range s.Fields {
		name, fault := f.key()
		if fault != nil {
			return nil, fault
		}
		v, fault := literal(f.Value, key+"."+name, depth+1)
		if fault != nil {
			return nil, fault
		}
		fields[name] = v
	}
	return item.Map(fields), nil
}

// bag returns the set that <<...>> writes down.
func bag(members []*orSyntax, key string) (item.Value, *Error) {
	if len(members) == 0 {
		return nil, errorf("Empty bags are not supported")
	}
	values := make([]item.Value, len(members))
	texts := make([]string, len(members))
	for i, m := range members {
		v, fault := literal(m, key, 0)
		if fault != nil {
			return nil, fault
		}
		if t := v.Type(); t != item.S && t != item.N || i > 0 && t != values[0].Type() {
			return nil, errBag
		}
		values[i], texts[i] = v, memberText(m, v)
	}
	set := item.SS
	if values[0].Type() == item.N {
		set = item.NS
	}
	v := item.Set(set, values...)
	switch {
	case v.Len() == len(values):
		return v, nil
	case set == item.NS:
		return nil, errorf("One or more parameter values were invalid: Input collection %s contains duplicates! under %s", bracketed(texts), key)
	}
	return nil, errorf("One or more parameter values were invalid: Input collection %s contains duplicates.", bracketed(texts))
}

var errBag = errorf("Unsupported data type in Bag. DynamoDB only supports either numbers or strings in bags")

// memberText is a member of a set as errors print it: numbers as written.
func memberText(m *orSyntax, v item.Value) string {
	if written := m.operand().number(); written != "" {
		return written
	}
	return string(v.Bytes())
}

func bracketed(texts []string) string {
	out := "["
	for i, t := range texts {
		if i > 0 {
			out += ", "
		}
		out += t
	}
	return out + "]"
}

// number returns a number with the signs before it.
func number(u *operandSyntax, key string) (item.Value, *Error) {
	negative := false
	for _, sign := range u.Signs {
		negative = negative != (sign == "-")
	}
	unsigned := *u
	unsigned.Signs = nil
	digits := unsigned.number()
	if inner := unsigned.group(); inner != nil {
		digits = inner.operand().number()
	}
	if digits == "" {
		return nil, unsupportedValue(u, key)
	}
	if negative {
		digits = "-" + digits
	}
	n, fault := item.ParseNumber([]byte(digits))
	if fault != nil {
		return nil, errorf("%s under %s", numberFault(fault), key)
	}
	return item.NumberValue(n), nil
}

// numberFault words what is wrong with a number.
func numberFault(fault *item.ValueError) string {
	switch fault.Kind {
	case item.NumberOverflow:
		return "Number overflow. Attempting to store a number with magnitude larger than supported range"
	case item.NumberUnderflow:
		return "Number underflow. Attempting to store a number with magnitude smaller than supported range"
	case item.NumberPrecision:
		return "Attempting to store more than 38 significant digits in a Number"
	}
	return "The parameter cannot be converted to a numeric value: " + fault.Text
}

// fromExpression takes over an error of package expression.
func fromExpression(err error) *Error {
	if err == nil {
		return nil
	}
	return &Error{Text: err.Error()}
}
