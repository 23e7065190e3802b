package expression

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/stator-db/stator/storage/item"
)

// DecodeCondition reads what Condition.AppendBinary appended. Values of the
// result alias b, which must not change. The error wraps [ErrEncoding].
//
// Paths of the result lists the paths in the order in which they are evaluated;
// a NOT_CONTAINS of [NewLegacyCondition], which looks twice, is there twice.
func DecodeCondition(b []byte) (*Condition, error) {
	d := decoder{b: b}
	d.format()
	c := &Condition{root: d.predicate()}
	if err := d.end(); err != nil {
		return nil, err
	}
	c.paths = d.paths
	return c, nil
}

// DecodeUpdate reads what Update.AppendBinary appended. Values of the result
// alias b, which must not change. The error wraps [ErrEncoding].
func DecodeUpdate(b []byte) (*Update, error) {
	d := decoder{b: b}
	d.format()
	u := &Update{legacy: d.flag()}
	n := d.count()
	u.actions, u.targets = make([]action, 0, min(n, presized)), make([]Path, 0, min(n, presized))
	for range n {
		a := action{verb: verb(d.byte())}
		target := d.path()
		switch a.verb {
		case verbSet:
			a.value = d.setValue()
		case verbRemove:
		case verbAdd, verbDelete:
			if a.value = d.setValue(); d.fault == "" {
				if _, ok := a.value.(literalValue); !ok {
					d.fail("operand of ADD or DELETE is not a value")
				}
			}
		default:
			d.fail("unknown action")
		}
		if u.legacy && len(target) > 1 {
			d.fail("nested target in attribute updates")
		}
		if d.fault != "" {
			break
		}
		u.add(target, a)
	}
	var f faults
	u.tree = newPathTree(u.targets, &f)
	if !u.legacy && f.first(updateBindFaults) != "" {
		d.fail("targets overlap")
	}
	if err := d.end(); err != nil {
		return nil, err
	}
	u.paths = d.paths
	if u.legacy {
		u.paths = u.targets
	}
	return u, nil
}

// decoder reads an encoded expression. After the first fault there is nothing
// left to read, and all it returns is zero.
type decoder struct {
	b     []byte
	fault string
	depth int
	paths []Path // in the order read
}

func (d *decoder) fail(fault string) {
	if d.fault == "" {
		d.fault = fault
	}
	d.b = nil
}

// presized bounds what is allocated because of a count alone.
const presized = 32

const truncated = "ends too early"

func (d *decoder) format() {
	if f := d.byte(); f != encodingFormat {
		d.fail(fmt.Sprintf("format %d", f))
	}
}

// end reports the first fault, or that something is left.
func (d *decoder) end() error {
	if len(d.b) > 0 {
		d.fail("bytes after its end")
	}
	if d.fault != "" {
		return fmt.Errorf("%w: %s", ErrEncoding, d.fault)
	}
	return nil
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.fail(truncated)
		return 0
	}
	v := d.b[0]
	d.b = d.b[1:]
	return v
}

func (d *decoder) flag() bool {
	v := d.byte()
	if v > 1 {
		d.fail("unknown flag")
	}
	return v == 1
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.fail(truncated)
		return 0
	}
	d.b = d.b[n:]
	return v
}

// count reads the number of things that take at least a byte each.
func (d *decoder) count() int {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.fail(truncated)
		return 0
	}
	return int(n)
}

func (d *decoder) bytes(n uint64) []byte {
	if n > uint64(len(d.b)) {
		d.fail(truncated)
		return nil
	}
	v := d.b[:n:n]
	d.b = d.b[n:]
	return v
}

func (d *decoder) path() Path {
	n := d.count()
	if n == 0 || n > maxPathDepth {
		d.fail("document path of no possible length")
		return nil
	}
	p := make(Path, n)
	for i := range p {
		switch v := d.uvarint(); {
		case v&1 == 0:
			p[i].Name = string(d.bytes(v >> 1))
		case i == 0 || v>>1 > math.MaxInt:
			d.fail("list index out of place")
		default:
			p[i] = Step{Index: int(v >> 1), IsIndex: true}
		}
	}
	d.paths = append(d.paths, p)
	return p
}

func (d *decoder) value() item.Value {
	v := item.Value(d.bytes(d.uvarint()))
	if v.Type().String() == "" {
		d.fail("value of unknown type")
	}
	return v
}

// enter goes one level deeper; leave comes back.
func (d *decoder) enter() bool {
	if d.depth++; d.depth > maxEncodedDepth {
		d.fail("nested too deeply")
	}
	return d.fault == ""
}

func (d *decoder) leave() { d.depth-- }

func (d *decoder) predicate() predicate {
	defer d.leave()
	if !d.enter() {
		return nil
	}
	switch d.byte() {
	case tagDisjunction:
		return disjunction(d.terms())
	case tagConjunction:
		return conjunction(d.terms())
	case tagNegation:
		return negation{d.predicate()}
	case tagComparison:
		op := comparator(d.byte())
		if op > greaterOrEqual {
			d.fail("unknown comparator")
		}
		c := &comparison{operator: op}
		c.left, c.right = d.operand(), d.operand()
		return c
	case tagDifference:
		c := new(difference)
		c.left, c.right = d.operand(), d.operand()
		return c
	case tagBetween:
		c := new(between)
		c.of, c.low, c.high = d.operand(), d.operand(), d.operand()
		return c
	case tagMembership:
		return d.membership()
	case tagAttributeExists:
		return attributeExists{d.path()}
	case tagAttributeNotExists:
		return attributeNotExists{d.path()}
	case tagAttributeType:
		return &attributeType{path: d.path(), is: item.Type(d.byte())}
	case tagBeginsWith:
		c := new(beginsWith)
		c.of, c.prefix = d.operand(), d.operand()
		return c
	case tagContains:
		c := new(contains)
		c.of, c.part = d.operand(), d.operand()
		return c
	}
	d.fail("unknown predicate")
	return nil
}

func (d *decoder) terms() []predicate {
	n := d.count()
	terms := make([]predicate, 0, min(n, presized))
	for range n {
		if d.fault != "" {
			break
		}
		terms = append(terms, d.predicate())
	}
	return terms
}

func (d *decoder) membership() predicate {
	m := &membership{of: d.operand()}
	n := d.count()
	m.among = make([]operand, 0, min(n, presized))
	for range n {
		if d.fault != "" {
			break
		}
		m.among = append(m.among, d.operand())
	}
	return m
}

func (d *decoder) operand() operand {
	tag := d.byte()
	o := operand{sizeOf: tag&flagSizeOf != 0}
	switch tag &^ flagSizeOf {
	case tagNothing:
	case tagOperandPath:
		o.path = d.path()
	case tagOperandValue:
		o.value = d.value()
	case tagOperandTruth:
		o.truth = d.predicate()
	default:
		d.fail("unknown operand")
	}
	return o
}

func (d *decoder) setValue() setValue {
	defer d.leave()
	if !d.enter() {
		return nil
	}
	switch tag := d.byte(); tag {
	case tagLiteral:
		return literalValue(d.value())
	case tagPath:
		return pathValue(d.path())
	case tagIfNotExists:
		return &ifNotExists{path: d.path(), fallback: d.setValue()}
	case tagListAppend:
		return &listAppend{first: d.setValue(), second: d.setValue()}
	case tagAdd, tagSubtract:
		return &sum{left: d.setValue(), right: d.setValue(), subtract: tag == tagSubtract}
	}
	d.fail("unknown set value")
	return nil
}
