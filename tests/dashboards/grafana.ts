// What Grafana takes as a dashboard, as far as ours uses it: Grafana's own types from
// @grafana/schema, with what they leave open (options, queries) filled in by panel type.
// The test writes the dashboard's JSON behind `const dashboard: Surgeline =` and lets the
// compiler judge it: unknown keys, missing ones and values that are not in an enum.
import type { Dashboard, DataSourceRef, FieldConfig, Panel, RowPanel } from '@grafana/schema';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type {
  FieldConfig as LinesConfig,
  Options as LinesOptions,
} from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON holds the values of enums, not their members.
type Plain<T> = T extends string
  ? `${T}`
  : T extends number | boolean | null | undefined
    ? T
    : T extends Array<infer U>
      ? Array<Plain<U>>
      : T extends object
        ? { [K in keyof T]: Plain<T[K]> }
        : T;

// The query of Grafana's Prometheus data source; its types are not in @grafana/schema.
interface Query {
  refId: string;
  datasource: DataSourceRef;
  editorMode: 'code' | 'builder';
  expr: string;
  legendFormat: string;
  instant: boolean;
  range: boolean;
}

// Grafana's types make nearly all optional; what ours must always say is required here.
type Always = 'id' | 'title' | 'description' | 'datasource' | 'gridPos';

type Of<Type extends string, Options, Custom> = Required<Pick<Plain<Panel>, Always>> &
  Omit<Plain<Panel>, Always | 'type' | 'targets' | 'options' | 'fieldConfig'> & {
    type: Type;
    targets: Query[];
    options: Plain<Options>;
    fieldConfig: {
      defaults: Omit<Plain<FieldConfig>, 'custom' | 'unit'> & { custom?: Plain<Custom>; unit: string };
      overrides: Array<{
        matcher: { id: string; options?: unknown };
        properties: Array<{ id: string; value?: unknown }>;
      }>;
    };
  };

type AnyPanel = Of<'stat', StatOptions, never> | Of<'timeseries', LinesOptions, LinesConfig> | Plain<RowPanel>;

export type Surgeline = Omit<Plain<Dashboard>, 'panels'> & { uid: string; title: string; panels: AnyPanel[] };
