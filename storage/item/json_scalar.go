package item

import (
	"bytes"
	"encoding/base64"

	"github.com/go-json-experiment/json/jsontext"
)

// begin reads the opening bracket of an object or list. Present is false if
// there is null instead, or an error.
func (d *decoder) begin(expected Shape, bracket jsontext.Kind, element bool) (present bool, err error) {
	if d.in.PeekKind() == bracket {
		_, err = d.in.ReadToken()
		return err == nil, err
	}
	v, err := d.in.ReadValue()
	if err != nil || v[0] == 'n' {
		return false, err
	}
	return false, mismatch(expected, v, element)
}

func mismatch(expected Shape, got jsontext.Value, element bool) *TypeError {
	e := &TypeError{Expected: expected, Got: got.Kind(), Element: element}
	e.Decimal = e.Got == '0' && bytes.ContainsAny(got, ".eE")
	return e
}

// str reads a string and returns it without quotes and escapes. The result is
// valid until the next read or peek.
func (d *decoder) str() ([]byte, error) {
	quoted, err := d.in.ReadValue()
	if err != nil {
		return nil, err
	}
	return d.unquote(quoted)
}

func (d *decoder) unquote(quoted []byte) ([]byte, error) {
	if bytes.IndexByte(quoted, '\\') < 0 {
		return quoted[1 : len(quoted)-1], nil
	}
	var err error
	d.text, err = jsontext.AppendUnquote(d.text[:0], quoted)
	return d.text, err
}

// scalar reads the JSON string of an S, N or B and appends the stored form.
// Present is false for null; after a fault nothing has been appended.
func (d *decoder) scalar(t Type, element bool) (present bool, fault *ValueError, err error) {
	v, err := d.in.ReadValue()
	if err != nil || v[0] == 'n' {
		return false, nil, err
	}
	if v[0] != '"' {
		expected := ShapeString
		if t == B {
			expected = ShapeBlob
		}
		return false, nil, mismatch(expected, v, element)
	}
	text, err := d.unquote(v)
	if err != nil {
		return false, nil, err
	}
	switch t {
	case S:
		d.buf = appendScalar(d.buf, S, text)
	case N:
		fault = d.number(text)
	case B:
		err = d.binary(text, element)
	}
	return err == nil, fault, err
}

func (d *decoder) number(text []byte) *ValueError {
	if isCanonical(text) {
		d.buf = appendScalar(d.buf, N, text)
		return nil
	}
	n, fault := ParseNumber(text)
	if fault != nil {
		return fault
	}
	var canonical [maxNumberText]byte
	d.buf = appendScalar(d.buf, N, n.AppendText(canonical[:0]))
	return nil
}

// base64Encoding refuses bits that are lost, as the service does.
var base64Encoding = base64.StdEncoding.Strict()

func (d *decoder) binary(text []byte, element bool) error {
	if len(text)%4 != 0 {
		return &TypeError{Expected: ShapeBlob, Got: '"', Element: element, Base64: Base64Length, Length: len(text)}
	}
	size := len(text) / 4 * 3
	for i := len(text) - 1; i >= 0 && i >= len(text)-2 && text[i] == '='; i-- {
		size--
	}
	start := len(d.buf)
	d.buf = appendUvarint(append(d.buf, byte(B)), size)
	payload := len(d.buf)
	var err error
	d.buf, err = base64Encoding.AppendDecode(d.buf, text)
	// The standard decoder skips line breaks, which shows in the length.
	if err != nil || len(d.buf)-payload != size {
		d.buf = d.buf[:start]
		return &TypeError{Expected: ShapeBlob, Got: '"', Element: element, Base64: Base64Character}
	}
	return nil
}

// boolean reads a JSON boolean, or one of the words that the service takes for
// one. Present is false for null.
func (d *decoder) boolean() (b, present bool, err error) {
	v, err := d.in.ReadValue()
	if err != nil {
		return false, false, err
	}
	switch v[0] {
	case 't', 'f':
		return v[0] == 't', true, nil
	case 'n':
		return false, false, nil
	case '"':
		word, err := d.unquote(v)
		if err != nil {
			return false, false, err
		}
		switch string(bytes.ToLower(word)) {
		case "true", "yes", "1":
			return true, true, nil
		case "false", "no", "0":
			return false, true, nil
		}
	}
	return false, false, mismatch(ShapeBoolean, v, false)
}
