//! What the engine is given of a playbook, and what is told when a playbook names what the
//! router does not have.

use super::*;
use crate::config;
use crate::engine::recall::{Choice as Does, LatePlan, Level as At, Outside, Tier};
use crate::engine::routing::Routing;
use crate::ids::{AgentId, QueueId};
use crate::time::Span;

fn routing() -> Routing {
    config::built_in().unwrap().config.routing
}

fn filled(name: &str) -> Playbook {
    let fill = |slot| Fill { slot, language: None, text: "the kettle" };
    parse(name, &source_of(name), &Slot::ALL.map(fill)).unwrap().playbook
}

#[test]
fn every_example_can_be_put_in_force_on_a_router_that_is_given_no_configuration() {
    let routing = routing();
    for name in EXAMPLES {
        let playbook = filled(name);
        let plan = plan(&playbook, &routing).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(plan.version, playbook.version().0);
        assert_eq!(Playbook::from_canonical(&plan.playbook).unwrap(), playbook);
        assert!(plan.scope.is_sorted() && plan.scope.len() == 5, "{:?}", plan.scope);
        assert!(plan.safety.kept.is_sorted() && !plan.safety.kept.is_empty());
        assert!(plan.tier(Tier::Faq).is_some() && plan.tier(Tier::Ivr).is_some());
    }
}

#[test]
fn a_plan_says_what_the_playbook_says() {
    let plan = plan(&filled("generic"), &routing()).unwrap();
    assert_eq!(&*plan.title, "Any product: first hours of a recall");
    let faq = plan.faq.unwrap();
    assert_eq!((faq.from, faq.capacity, faq.entries), (At::Elevated, 10_000, 6));
    assert_eq!(faq.pacing, [0, 15, 600, 45].map(Span::seconds));
    assert_eq!(faq.silence, [0, 600, 86_400, 7_200].map(Span::seconds));
    assert_eq!(faq.time_limit, [0, 3_600, 172_800, 21_600].map(Span::seconds));
    let ivr = plan.ivr.unwrap();
    assert_eq!((ivr.from, ivr.ports, ivr.repeats), (At::Surge, 200, 1));
    assert_eq!((ivr.time_limit, ivr.key_timeout), (Span::seconds(360), Span::seconds(8)));
    assert_eq!((ivr.yes, ivr.no), (b'1', b'2'));
    let options = [(b'1', Does::LotCheck), (b'2', Does::Faq(1)), (b'9', Does::Message)];
    assert_eq!(&ivr.options[..], options);
    assert_eq!((plan.safety.external, plan.safety.late), (None, LatePlan::default()));
}

#[test]
fn by_what_a_free_level_moves_is_written_or_as_everywhere() {
    use crate::engine::recall::control::{Bounds, ControlPlan};
    let written = |control: &str| {
        let source = format!("{}\n[control]\n{control}", source_of("peanut-butter-2022"));
        plan(&parse("p", &source, &[]).unwrap().playbook, &routing()).unwrap().control()
    };
    assert_eq!(written(""), ControlPlan::default());
    let all = "wait = [\"30s\", \"1m\", \"2m\"]\nheld = [\"5s\", \"5s\", \"10s\"]\nload = 0.95\n\
               release = 0.8\ngateway = 0.9\nleave_after = \"1m\"\nlowest = \"tail\"\nhighest = \"surge\"";
    let expected = ControlPlan {
        wait: [30, 60, 120].map(Span::seconds),
        held: [5, 5, 10].map(Span::seconds),
        load: 950,
        release: 800,
        gateway: 900,
        leave_after: Span::seconds(60),
        bounds: Bounds { lowest: At::Tail, highest: At::Surge },
    };
    assert_eq!(written(all), expected);
}

#[test]
fn times_that_are_not_written_are_by_channel_and_a_number_outside_is_told() {
    let mut source = source_of("peanut-butter-2022");
    for times in ["silence", "time_limit"] {
        source = ["chat", "email", "message"].iter().fold(source, |source, channel| {
            let (before, rest) = source.split_once(&format!("{channel}_{times} = ")).unwrap();
            format!("{before}{}", rest.split_once('\n').unwrap().1)
        });
    }
    let source = format!("{source}external = \"+1 202 555 0100\"\n");
    let plan = plan(&parse("p", &source, &[]).unwrap().playbook, &routing()).unwrap();
    assert_eq!(plan.safety.external, Some(Outside::Number("+1 202 555 0100".into())));
    let faq = plan.faq.unwrap();
    assert_eq!(faq.silence, [0, 600, 86_400, 7_200].map(Span::seconds));
    assert_eq!(faq.time_limit, [0, 3_600, 172_800, 21_600].map(Span::seconds));
}

#[test]
fn agents_are_kept_by_pool_or_by_name_and_who_is_retired_is_not() {
    let mut routing = routing();
    let id = |routing: &Routing, name: &str| {
        let at = routing.agents.iter().position(|a| &*a.name == name).unwrap();
        AgentId(u32::try_from(at).unwrap())
    };
    let (amara, bruno) = (id(&routing, "amara"), id(&routing, "bruno"));
    let farid = id(&routing, "farid");
    assert_eq!(plan(&filled("generic"), &routing).unwrap().safety.kept, [amara, bruno]);
    let listed = plan(&filled("peanut-butter-2022"), &routing).unwrap();
    assert_eq!(listed.safety.kept, [amara, bruno, farid]);
    assert_eq!(routing.queue_name(listed.safety.queue), "safety");

    routing.agents[bruno.index()].retired = true;
    assert_eq!(plan(&filled("generic"), &routing).unwrap().safety.kept, [amara]);
    let listed = plan(&filled("peanut-butter-2022"), &routing).unwrap();
    assert_eq!(listed.safety.kept, [amara, farid]);
}

#[test]
fn what_the_configuration_does_not_have_is_named_with_its_field_and_what_there_is() {
    let mut routing = routing();
    routing.queues.truncate(usize::from(QueueId(2).0));
    routing.entry_points.truncate(2);
    routing.entry_points[1].retired = true;
    routing.pools.truncate(1);
    let error = plan(&filled("generic"), &routing).unwrap_err();
    assert_eq!(error.fields(), ["scope.entry_points", "safety.queue", "safety.pool"]);
    assert_eq!(
        error.to_string(),
        "scope.entry_points: the configuration has no entry point \"support-line-es\", \
         \"site-chat\", \"support-mail\", \"messenger\"; it has support-line; \
         safety.queue: the configuration has no queue \"safety\"; it has support-voice, \
         support-chat; safety.pool: the configuration has no pool \"safety-desk\"; it has own"
    );

    routing.agents.retain(|a| &*a.name != "farid");
    let error = plan(&filled("peanut-butter-2022"), &routing).unwrap_err();
    assert!(error.fields().contains(&"safety.agents"), "{error}");
    assert!(error.to_string().contains("has no agent \"farid\"; it has amara, bruno"), "{error}");
}

#[test]
fn an_open_slot_and_an_empty_scope_are_told() {
    let open = plan(&example("generic").playbook, &routing()).unwrap_err();
    assert_eq!(open.fields(), ["slots"]);
    assert!(open.to_string().contains("product, company, hazard, advice"), "{open}");
    let mut nowhere = filled("generic");
    nowhere.scope.entry_points.clear();
    let error = plan(&nowhere, &routing()).unwrap_err();
    assert!(error.to_string().contains("name at least one, of support-line, "), "{error}");
}
