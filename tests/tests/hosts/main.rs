//! One contract, every host: the edge does the same wherever it is mounted, on real sockets, and says what its host
//! cannot tell. A test that a host does not run is a limit of that host, named here.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod assess;
mod assets;
mod channel;
mod https;
mod outage;
mod pages;
mod pass_through;
mod shop;
mod signals;
mod support;

/// Makes a test of each function for one host.
macro_rules! tests {
    ($host:ident; $($area:ident: $($name:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $name() {
                crate::$area::$name(crate::shop::Host::$host).await;
            }
        )+)+
    };
}

/// What every host does.
macro_rules! contract {
    ($host:ident) => {
        tests! {
            $host;
            assess: a_page_gets_octets_verdict_and_octet_the_collectors_own_bytes, a_foreign_page_a_wrong_shape_and_a_large_body_are_refused_before_octet_hears_of_them, with_octet_down_or_silent_the_page_gets_the_degraded_verdict_within_two_seconds, a_challenge_and_its_answer_go_to_octet_and_come_back_as_what_they_must_be;
            assets: every_file_is_served_in_every_encoding_under_both_names, a_file_that_the_browser_holds_is_not_sent_again, a_head_has_the_length_and_no_body, pages_of_configured_origins_may_load_the_files;
            channel: the_rounds_of_a_channel_come_with_the_bundle_that_brings_its_ticket, a_bundle_without_the_ticket_or_with_anothers_gets_no_rounds, there_is_one_channel_for_a_session_and_a_second_contests_it, a_wrong_or_repeated_echo_voids_its_round, a_malformed_or_oversized_message_closes_the_channel_with_1008, a_ping_is_answered_and_disturbs_nothing, a_flood_of_pings_closes_the_channel_with_1008, a_browser_that_leaves_keeps_what_was_measured, channels_that_are_left_alone_end_by_themselves_and_a_storm_of_them_is_stopped, what_is_no_upgrade_of_a_page_of_the_shop_is_refused, two_edges_share_no_ticket;
            https: over_https_every_host_sees_one_ja4_and_it_is_the_same_as_on_axum, a_handshake_that_does_not_go_on_holds_up_nobody;
            outage: with_octet_down_the_browser_gets_503_and_the_shop_stands_and_with_octet_back_202, an_edge_that_starts_before_octet_serves_the_shop_and_finds_octet_when_it_comes, a_browser_that_goes_on_sending_is_refused_before_its_body;
            pass_through: unknown_paths_under_the_prefix_are_the_partners_too, methods_answers_and_errors_are_the_partners_own, another_prefix_moves_the_edge_and_frees_its_paths, bodies_stream_both_ways_while_they_are_made, a_browser_that_reads_slowly_is_not_read_ahead_of, an_app_that_reads_slowly_stops_the_sender, trailers_pass_both_ways_where_the_host_has_them, a_websocket_of_the_partners_own_is_untouched, a_handler_that_panics_leaves_the_edge_standing;
            signals: octet_gets_the_collectors_own_bytes_and_what_the_host_can_tell, a_page_of_another_origin_is_refused_and_nothing_is_forwarded, a_page_of_a_configured_origin_is_answered_with_its_name, a_body_over_64_kib_is_refused_whether_it_says_so_or_not, what_no_collector_sends_is_refused_here_already, another_method_is_told_which_one_the_path_takes, a_network_over_its_limit_is_told_when_to_come_back, a_trusted_proxy_names_the_visitor_and_nobody_else_does, the_same_bytes_may_be_sent_again, a_huge_cookie_goes_no_further_and_many_headers_are_cut_short, a_flood_of_headers_is_refused_and_holds_up_nobody;
        }
    };
}

/// What a host does in whose process the partner's pages are made.
macro_rules! with_pages {
    ($host:ident) => {
        tests! {
            $host;
            assess: octet_hears_of_a_served_page_when_it_wants_to;
            channel: an_edge_that_requires_signed_references_opens_channels_for_its_own_pages_only;
            pages: a_page_with_a_reference_is_not_stored_whatever_its_handler_says, the_tag_of_a_page_leads_to_the_collector, the_partners_profile_reaches_the_page_without_keeping_it_waiting, the_visitors_address_is_the_connections_or_what_a_trusted_proxy_says, a_host_that_was_not_set_up_works_and_says_what_it_does_not_know, every_page_view_has_a_reference_of_its_own, the_tag_follows_the_prefix, a_page_that_panics_leaves_no_session_behind;
            signals: an_edge_that_requires_signed_references_takes_no_other, a_signed_reference_says_whether_it_comes_from_where_the_page_went;
        }
    };
}

mod axum {
    contract!(Axum);
    with_pages!(Axum);
}

mod around_axum {
    contract!(AroundAxum);
    with_pages!(AroundAxum);
}

mod warp {
    contract!(Warp);
    with_pages!(Warp);
}

mod hyper {
    contract!(Hyper);
    with_pages!(Hyper);
}

mod actix {
    contract!(Actix);
    with_pages!(Actix);
}

mod edge {
    contract!(Edge);
}
