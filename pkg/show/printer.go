package show

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"
)

// APIVersion is that of all objects that are printed for programs. Fields are only ever added to them.
const APIVersion = "fanout.flanksource.com/v1"

// Formats are what -o takes, for its help.
const Formats = "table, wide, json, yaml, name, custom-columns=HEADER:.path,…, jsonpath=… or go-template=…"

// A Printer prints views in one format.
type Printer struct {
	// Table is set where people read it.
	Table     bool
	wide      bool
	names     bool
	noHeaders bool
	columns   *columns
	objects   printers.ResourcePrinter
}

// NewPrinter reads what -o says; an unknown format is an error that names those there are.
func NewPrinter(output string, noHeaders bool) (*Printer, error) {
	p := &Printer{noHeaders: noHeaders}
	var err error
	switch spec, isColumns := strings.CutPrefix(output, "custom-columns="); {
	case output == "" || output == "table":
		p.Table = true
	case output == "wide":
		p.Table, p.wide = true, true
	case output == "name":
		p.names = true
	case isColumns:
		p.columns, err = parseColumns(spec)
	default:
		flags := genericclioptions.NewPrintFlags("")
		flags.OutputFormat = &output
		p.objects, err = flags.ToPrinter()
		if genericclioptions.IsNoCompatiblePrinterError(err) {
			err = fmt.Errorf("must be %s", Formats)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("--output %q: %w", output, err)
	}
	return p, nil
}

// Print prints all of a view.
func (p *Printer) Print(out io.Writer, v *View) error {
	switch {
	case p.objects != nil:
		object, err := objectOf(v.WholeKind, v.Whole)
		if err != nil {
			return err
		}
		return p.objects.PrintObj(object, out)
	case p.Table && v.Text != nil:
		v.Text(out)
		return nil
	case p.Table && v.Above != nil && !p.noHeaders:
		if err := p.printTable(out, v.Above, v.Above.Rows, false); err != nil {
			return err
		}
		fmt.Fprintln(out)
	}
	return p.PrintRows(out, v, v.Rows, false)
}

// PrintRows prints some of a view's rows. Later says that its headers stand above already.
func (p *Printer) PrintRows(out io.Writer, v *View, rows []Row, later bool) error {
	switch {
	case p.names:
		for _, row := range rows {
			fmt.Fprintln(out, row.Name)
		}
		return nil
	case p.Table:
		return p.printTable(out, v, rows, later)
	}
	var objects []map[string]any
	for _, row := range rows {
		object, err := objectOf(v.Kind, row.Object)
		if err != nil {
			return err
		}
		if p.columns == nil {
			if err := p.objects.PrintObj(object, out); err != nil {
				return err
			}
			continue
		}
		objects = append(objects, object.Object)
	}
	if p.columns == nil {
		return nil
	}
	return p.columns.print(out, objects, p.noHeaders || later)
}

func (p *Printer) printTable(out io.Writer, v *View, rows []Row, later bool) error {
	table := &metav1.Table{ColumnDefinitions: v.Columns}
	for _, row := range rows {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: row.Cells})
	}
	return printers.NewTablePrinter(printers.PrintOptions{Wide: p.wide, NoHeaders: p.noHeaders || later}).PrintObj(table, out)
}

// objectOf is a value of package api as an object of that kind.
func objectOf(kind string, value any) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{Object: map[string]any{}}
	if err := utiljson.Unmarshal(data, &object.Object); err != nil {
		return nil, err
	}
	object.Object["apiVersion"], object.Object["kind"] = APIVersion, kind
	return object, nil
}
